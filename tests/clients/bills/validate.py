"""Validates bills of materials: FILE.cdx.json and FILE.spdx.json."""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

cyclonedx, spdx = sys.argv[1:]
with open(cyclonedx) as file:
    text = file.read()
fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
faults = [fault] if fault else []
urls = [component["purl"] for component in json.loads(text)["components"] if "purl" in component]
faults += [url for url in urls if PackageURL.from_string(url).to_string() != url]
document = parse_file(spdx)
faults += [message.validation_message for message in validate_full_spdx_document(document)]
assert len(document.packages) > 1, "there is more than the image"
sys.exit("\n".join(map(str, faults)) or None)
