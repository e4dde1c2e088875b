"""Reads lines {"schema": NAME, "value": JSON} and says which values are not what the schema of that name allows."""

import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as file:
    document = json.load(file)

for line in sys.stdin:
    sample = json.loads(line)
    schema = {"$ref": "#/components/schemas/" + sample["schema"], "components": document["components"]}
    for error in jsonschema.Draft202012Validator(schema).iter_errors(sample["value"]):
        print(f"{sample['schema']}: {error.json_path}: {error.message}")
