# SPDX-License-Identifier: Apache-2.0
"""Our Parquet against Apache Arrow's: what we write, pyarrow reads with the types and values meant; of what pyarrow writes
(several row groups, compressed, dictionaries, nested, statistics), we read the number of rows. DRIVER FOLDER"""
import datetime
import decimal
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq

DRIVER, FOLDER = sys.argv[1:3]


def driver(*arguments):
    return subprocess.run([DRIVER] + list(arguments), check=True, capture_output=True, text=True).stdout


def ours(rows):
    path = os.path.join(FOLDER, "ours-%d.parquet" % rows)
    driver("write", path, str(rows))
    table = pq.read_table(path)
    assert table.schema.names == ["order_id", "raw", "amount", "returned", "at", "on", "n", "x"], table.schema
    assert [str(t) for t in table.schema.types] == ["string", "binary", "decimal128(18, 2)", "bool", "timestamp[us, tz=UTC]", "date32[day]",
                                                     "int64", "double"], table.schema
    assert table.num_rows == rows, table.num_rows
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "UNCOMPRESSED"
    for i, row in enumerate(table.to_pylist()):
        assert row["order_id"] == "order_id-%d" % (i + 1), row
        assert row["raw"].startswith(b"raw-"), row
        assert decimal.Decimal("0.01") <= row["amount"] <= 500 and row["amount"].as_tuple().exponent == -2, row
        assert isinstance(row["returned"], bool), row
        assert row["at"].year == 2025 and row["at"].tzinfo is not None, row
        assert isinstance(row["on"], datetime.date) and row["on"].year == 2025, row
        assert 0 <= row["n"] < 1000 and 0 <= row["x"] < 1000, row
    if rows > 100:
        assert 0 < sum(table.column("returned").to_pylist()) < rows
    assert driver("rows", path) == "%d\n" % rows


def theirs():
    table = pa.table({"a": list(range(5000)), "b": ["x" * (i % 50) for i in range(5000)], "c": [[i, None] for i in range(5000)],
                      "d": [{"e": i, "f": {"g": str(i)}} for i in range(5000)]})
    for name, options in {"plain": {}, "groups": {"row_group_size": 100, "compression": "zstd"}, "v2": {"data_page_version": "2.0"},
                          "none": {"use_dictionary": False, "write_statistics": False, "compression": "none"}}.items():
        path = os.path.join(FOLDER, "theirs-%s.parquet" % name)
        pq.write_table(table, path, **options)
        assert driver("rows", path) == "5000\n", name


for count in (0, 1, 8, 9, 1000):
    ours(count)
theirs()
print("parquet: pyarrow %s reads ours, we count theirs" % pa.__version__)
