"""Says of topology files what an editor with schemas/topology.schema.json would say: SCHEMA FILE...

Prints a JSON object from file names to lists of complaints. A file that is no YAML gets null: the schema never sees it.

Editors see typed values where the topology loader sees text. So plain scalars are resolved here as the core schema of
YAML 1.2 says, which is what editors use: `0042` is the number 42, `off` and `10:30` are texts. (PyYAML's own rules are
those of YAML 1.1, with octal numbers, sexagesimals, dates and `off` as false.) What is lost on the way nobody can find in
the typed value: leading zeros do not count for the length of an unquoted DN. Of a key that stands twice the last value
counts, as with most readers, and keys are texts whatever they look like: JSON has no others.
"""

import json
import re
import sys

import jsonschema
import yaml

# The parser of the topology loader, where PyYAML was built with it; its own one is stricter about tabs.
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

NULL = re.compile(r"~|null|Null|NULL|")
BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
INTEGER = re.compile(r"[-+]?[0-9]+")
OCTAL = re.compile(r"0o[0-7]+")
HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def resolved(text):
    if NULL.fullmatch(text):
        return None
    if BOOL.fullmatch(text):
        return text.lower() == "true"
    if INTEGER.fullmatch(text):
        return int(text)
    if OCTAL.fullmatch(text) or HEXADECIMAL.fullmatch(text):
        return int(text, 0)
    if FLOAT.fullmatch(text) or NO_NUMBER.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def value(node):
    if isinstance(node, yaml.ScalarNode):
        return resolved(node.value) if not node.style else node.value
    if isinstance(node, yaml.SequenceNode):
        return [value(item) for item in node.value]
    # A key that is no text has no name that the schema could know.
    return {
        key.value if isinstance(key, yaml.ScalarNode) else "[" + key.id + "]": value(item) for key, item in node.value
    }


def complaints(validator, path):
    with open(path, "rb") as file:
        try:
            root = yaml.compose(file.read(), Loader=LOADER)
        except (yaml.YAMLError, UnicodeDecodeError):
            return None
    if root is None:
        return None
    try:
        document = value(root)
    except RecursionError:
        return None
    return [f"/{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(document)]


def main(schema_path, *paths):
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    json.dump({path: complaints(validator, path) for path in paths}, sys.stdout)


main(*sys.argv[1:])
