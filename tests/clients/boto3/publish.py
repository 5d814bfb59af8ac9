"""What a program does that uses boto3 as its documentation says: a role by web
identity, an image pushed through the API, lists by pages, a waiter, the trail,
and the class of every refusal.

The environment has AWS's standard variables and nothing else: AWS_ROLE_ARN and
AWS_WEB_IDENTITY_TOKEN_FILE for the role, ADMINISTRATOR_* for the root user.
"""

import base64
import hashlib
import json
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

REPOSITORY = os.environ["REPOSITORY"]
CONFIG = Config(retries={"max_attempts": 1, "mode": "standard"})


def administrator(service):
    return boto3.client(
        service,
        config=CONFIG,
        aws_access_key_id=os.environ["ADMINISTRATOR_KEY"],
        aws_secret_access_key=os.environ["ADMINISTRATOR_SECRET"],
    )


def push_blob(ecr, content):
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    availability = ecr.batch_check_layer_availability(
        repositoryName=REPOSITORY, layerDigests=[digest]
    )
    assert availability["layers"][0]["layerAvailability"] == "UNAVAILABLE", availability
    upload = ecr.initiate_layer_upload(repositoryName=REPOSITORY)
    part = ecr.upload_layer_part(
        repositoryName=REPOSITORY,
        uploadId=upload["uploadId"],
        partFirstByte=0,
        partLastByte=len(content) - 1,
        layerPartBlob=content,
    )
    assert part["lastByteReceived"] == len(content) - 1, part
    done = ecr.complete_layer_upload(
        repositoryName=REPOSITORY, uploadId=upload["uploadId"], layerDigests=[digest]
    )
    assert done["layerDigest"] == digest, done
    return digest


def manifest(config, config_size, layer, layer_size):
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": config,
                "size": config_size,
            },
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                    "digest": layer,
                    "size": layer_size,
                }
            ],
        }
    )


def refusal(call, code, kind=ClientError):
    """The sentence of a call that fails with this code and class."""
    try:
        call()
    except kind as error:
        assert error.response["Error"]["Code"] == code, error.response
        return error.response["Error"]["Message"]
    raise AssertionError(f"{code} was expected")


def the_role_pushes_an_image():
    identity = boto3.client("sts", config=CONFIG).get_caller_identity()
    assert ":assumed-role/portfolio-publisher/" in identity["Arn"], identity
    ecr = boto3.client("ecr", config=CONFIG)
    login = ecr.get_authorization_token()["authorizationData"][0]
    assert base64.b64decode(login["authorizationToken"]).startswith(b"AWS:")
    for tag in ["boto3-1", "boto3-2"]:
        config = f'{{"tag":"{tag}"}}'.encode()
        layer = f"layer of {tag}".encode()
        text = manifest(push_blob(ecr, config), len(config), push_blob(ecr, layer), len(layer))
        image = ecr.put_image(repositoryName=REPOSITORY, imageManifest=text, imageTag=tag)
        assert image["image"]["imageId"]["imageTag"] == tag, image
    return ecr, text


def refusals_have_the_classes_of_the_model(ecr, text):
    again = lambda: ecr.put_image(repositoryName=REPOSITORY, imageManifest=text, imageTag="boto3-2")
    refusal(again, "ImageAlreadyExistsException", ecr.exceptions.ImageAlreadyExistsException)
    moved = text.replace("layer.v1.tar+gzip", "layer.v1.tar")
    other = lambda: ecr.put_image(repositoryName=REPOSITORY, imageManifest=moved, imageTag="boto3-1")
    refusal(other, "ImageTagAlreadyExistsException", ecr.exceptions.ImageTagAlreadyExistsException)
    sentence = refusal(
        lambda: ecr.describe_images(repositoryName=REPOSITORY), "AccessDeniedException"
    )
    assert "is not authorized to perform: ecr:DescribeImages on resource:" in sentence, sentence
    root = administrator("ecr")
    refusal(
        lambda: root.describe_images(repositoryName="no-such"),
        "RepositoryNotFoundException",
        root.exceptions.RepositoryNotFoundException,
    )
    sts = boto3.client("sts", config=CONFIG)
    refusal(
        lambda: sts.assume_role_with_web_identity(
            RoleArn=os.environ["AWS_ROLE_ARN"], RoleSessionName="boto3", WebIdentityToken="a.b.c"
        ),
        "InvalidIdentityToken",
        sts.exceptions.InvalidIdentityTokenException,
    )


def lists_come_by_pages():
    ecr = administrator("ecr")
    pages = ecr.get_paginator("describe_images").paginate(
        repositoryName=REPOSITORY, PaginationConfig={"PageSize": 1}
    )
    sizes = [len(page["imageDetails"]) for page in pages]
    assert sizes == [1, 1], sizes
    pages = ecr.get_paginator("list_images").paginate(repositoryName=REPOSITORY)
    tags = {image["imageTag"] for page in pages for image in page["imageIds"]}
    assert tags == {"boto3-1", "boto3-2"}, tags


def a_waiter_waits_for_the_preview_of_a_lifecycle_policy():
    ecr = administrator("ecr")
    rule = {
        "rulePriority": 1,
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
        "action": {"type": "expire"},
    }
    ecr.start_lifecycle_policy_preview(
        repositoryName=REPOSITORY, lifecyclePolicyText=json.dumps({"rules": [rule]})
    )
    ecr.get_waiter("lifecycle_policy_preview_complete").wait(repositoryName=REPOSITORY)
    preview = ecr.get_lifecycle_policy_preview(repositoryName=REPOSITORY)
    assert preview["summary"]["expiringImageTotalCount"] == 1, preview


def the_trail_tells_it_all():
    events = administrator("cloudtrail").get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "PutImage"}],
        PaginationConfig={"PageSize": 1},
    )
    records = [json.loads(event["CloudTrailEvent"]) for page in events for event in page["Events"]]
    assert len(records) == 4, records
    assert all(record["userIdentity"]["type"] == "AssumedRole" for record in records)
    codes = [record.get("errorCode") for record in records]
    expected = ["ImageTagAlreadyExistsException", "ImageAlreadyExistsException", None, None]
    assert codes == expected, codes


def main():
    ecr, text = the_role_pushes_an_image()
    refusals_have_the_classes_of_the_model(ecr, text)
    lists_come_by_pages()
    a_waiter_waits_for_the_preview_of_a_lifecycle_policy()
    the_trail_tells_it_all()


main()
