// What a program does that uses the AWS SDK for JavaScript as its documentation
// says: a role by web identity, an image pushed through the API, lists by pages, a
// waiter, the trail, and the class of every refusal.
//
// The environment has AWS's standard variables and nothing else: AWS_ROLE_ARN and
// AWS_WEB_IDENTITY_TOKEN_FILE for the role, ADMINISTRATOR_* for the root user.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { CloudTrailClient, paginateLookupEvents } from '@aws-sdk/client-cloudtrail';
import * as ecr from '@aws-sdk/client-ecr';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromTokenFile } from '@aws-sdk/credential-providers';

const repositoryName = process.env.REPOSITORY;
const role = { credentials: fromTokenFile() };
const administrator = {
  credentials: {
    accessKeyId: process.env.ADMINISTRATOR_KEY,
    secretAccessKey: process.env.ADMINISTRATOR_SECRET,
  },
};
const client = new ecr.ECRClient(role);
const root = new ecr.ECRClient(administrator);

async function pushBlob(content) {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const { uploadId } = await client.send(
    new ecr.InitiateLayerUploadCommand({ repositoryName }),
  );
  await client.send(
    new ecr.UploadLayerPartCommand({
      repositoryName,
      uploadId,
      partFirstByte: 0,
      partLastByte: content.length - 1,
      layerPartBlob: content,
    }),
  );
  const done = await client.send(
    new ecr.CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [digest] }),
  );
  assert.equal(done.layerDigest, digest);
  return { digest, size: content.length };
}

async function push(imageTag) {
  const config = await pushBlob(Buffer.from(JSON.stringify({ imageTag })));
  const layer = await pushBlob(Buffer.from(`layer of ${imageTag}`));
  const type = (name) => `application/vnd.oci.image.${name}`;
  const imageManifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: type('manifest.v1+json'),
    config: { mediaType: type('config.v1+json'), ...config },
    layers: [{ mediaType: type('layer.v1.tar+gzip'), ...layer }],
  });
  const put = { repositoryName, imageManifest, imageTag };
  await client.send(new ecr.PutImageCommand(put));
  return put;
}

async function refusals(put) {
  await assert.rejects(client.send(new ecr.PutImageCommand(put)), ecr.ImageAlreadyExistsException);
  await assert.rejects(
    client.send(new ecr.DescribeImagesCommand({ repositoryName })),
    (error) =>
      error.name === 'AccessDeniedException' &&
      error.message.includes('is not authorized to perform: ecr:DescribeImages on resource:'),
  );
  await assert.rejects(
    root.send(new ecr.DescribeImagesCommand({ repositoryName: 'no-such' })),
    ecr.RepositoryNotFoundException,
  );
  const absent = fromTokenFile({ roleArn: `${process.env.AWS_ROLE_ARN}-absent` });
  await assert.rejects(
    new STSClient({ credentials: absent }).send(new GetCallerIdentityCommand({})),
    (error) => error.name === 'AccessDenied',
  );
}

async function pages() {
  const sizes = [];
  const configuration = { client: root, pageSize: 1 };
  for await (const page of ecr.paginateDescribeImages(configuration, { repositoryName })) {
    sizes.push(page.imageDetails.length);
  }
  assert.deepEqual(sizes, [1, 1]);
}

async function preview() {
  const rule = {
    rulePriority: 1,
    selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 },
    action: { type: 'expire' },
  };
  const lifecyclePolicyText = JSON.stringify({ rules: [rule] });
  const asked = { repositoryName, lifecyclePolicyText };
  await root.send(new ecr.StartLifecyclePolicyPreviewCommand(asked));
  await ecr.waitUntilLifecyclePolicyPreviewComplete(
    { client: root, maxWaitTime: 60 },
    { repositoryName },
  );
}

async function trail() {
  const cloudtrail = new CloudTrailClient(administrator);
  const attribute = { AttributeKey: 'EventName', AttributeValue: 'PutImage' };
  const codes = [];
  const events = paginateLookupEvents(
    { client: cloudtrail, pageSize: 2 },
    { LookupAttributes: [attribute] },
  );
  for await (const page of events) {
    for (const event of page.Events) {
      codes.push(JSON.parse(event.CloudTrailEvent).errorCode);
    }
  }
  assert.deepEqual(codes, ['ImageAlreadyExistsException', undefined, undefined]);
}

const identity = await new STSClient(role).send(new GetCallerIdentityCommand({}));
assert.match(identity.Arn, /:assumed-role\/portfolio-publisher\//);
const login = await client.send(new ecr.GetAuthorizationTokenCommand({}));
assert.ok(login.authorizationData[0].expiresAt > new Date());
await push('javascript-1');
await refusals(await push('javascript-2'));
await pages();
await preview();
await trail();
