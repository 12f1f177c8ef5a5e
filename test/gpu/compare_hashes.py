"""How many results of a GPU have the bits of the virtual driver's.

    compare_hashes.py <family> <virtual> <real>

Both files hold lines "<hash> <kernel> <case>". Prints one JSON line: a count for each kernel. A pair of kernel and case
that only one of them ran, because plans depend on the device, is counted as such.
"""

import json
import sys
from collections import Counter


def read(file):
    results = {}
    with open(file) as lines:
        for line in lines:
            digest, kernel, case = line.rstrip("\n").split(" ", 2)
            results.setdefault((kernel, case), []).append(digest)
    return results


def main():
    family, virtual, real = sys.argv[1], read(sys.argv[2]), read(sys.argv[3])
    kernels = {}
    for pair in sorted(virtual.keys() | real.keys()):
        count = kernels.setdefault(pair[0], Counter())
        if pair not in real:
            count["virtual only"] += 1
        elif pair not in virtual:
            count["real only"] += 1
        else:
            count["same" if virtual[pair] == real[pair] else "different"] += 1
    total = sum(kernels.values(), Counter())
    print(json.dumps({"family": family, **total, "kernels": kernels}), flush=True)


main()
