#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a valid workspace of COUNT resources into FOLDER: a folder of files as a large team's would be, with datasets in a bucket on one
cloud, roles over them, and channels. plan_workspace.py FOLDER COUNT"""
import os
import sys

PER_FILE = 5000
TOP = """isobar: 1
workspace: large
environments:
  pocket: {pocket: true}
clouds:
  aws-us: {provider: aws, region: us-east-1}
buckets:
  lake: {clouds: [aws-us]}
"""


def dataset(i):
    return ("  d%06d: {source: \"file:///usr/share/datasets/large/%d\", format: idx, bucket: lake, class: public, residency: anywhere}\n"
            % (i, i))


def role(i):
    return "  r%06d: {members: [group/team-%d], allow: [{actions: [data.read, data.write], resources: [dataset/d%06d]}]}\n" % (i, i % 500, i)


def channel(i):
    return "  c%06d: {webhook: \"http://127.0.0.1:8999/alerts/%d\"}\n" % (i, i)


def main():
    folder, count = sys.argv[1], int(sys.argv[2])
    os.makedirs(folder)
    with open(os.path.join(folder, "isobar.yaml"), "w") as file:
        file.write(TOP)
    left = count - 2  # the cloud and the bucket
    shares = (("datasets", dataset, left // 2), ("roles", role, left // 4), ("channels", channel, left - left // 2 - left // 4))
    for kind, line, number in shares:
        for start in range(0, number, PER_FILE):
            with open(os.path.join(folder, "%s-%03d.yaml" % (kind, start // PER_FILE)), "w") as file:
                file.write(kind + ":\n")
                file.writelines(line(i) for i in range(start, min(number, start + PER_FILE)))


main()
