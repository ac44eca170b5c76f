"""Counts the answers in a HAR file by HTTP status, and fails unless there are as many of each as the arguments say.

answers.py FILE STATUS:LEAST...

A run whose every call was refused for the same reason would find nothing wrong; this is what notices that.
"""

import collections
import json
import sys

path, *wanted = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    entries = json.load(file)["log"]["entries"]
seen = collections.Counter(entry["response"]["status"] for entry in entries)
print("answers by status:", dict(sorted(seen.items())))
for status, least in (pair.split(":") for pair in wanted):
    if seen[int(status)] < int(least):
        sys.exit(f"expected at least {least} answers with HTTP {status}")
