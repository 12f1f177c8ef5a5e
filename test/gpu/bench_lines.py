"""The rows of a result of `npm run bench -- --json`, each as one line.

    bench_lines.py <result>
"""

import json
import sys

with open(sys.argv[1]) as file:
    document = json.load(file)
for row in document["rows"]:
    print(json.dumps(row))
