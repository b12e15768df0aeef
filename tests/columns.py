#!/usr/bin/env python3
"""Compares the Parquet files of a folder of results with its CSV files, cell by cell, and reads them with DuckDB.

    cargo build --features parquet && target/debug/scalelab run FILE
    pip install duckdb polars && python tests/columns.py output/NAME
"""

import csv
import sys

import duckdb
import polars


def same(value, cell):
    if value is None:
        return cell == ""
    if isinstance(value, (int, float)):
        return cell != "" and float(cell) == value
    # The apostrophe that keeps spreadsheets from reading a formula is in the CSV files only.
    return cell in (value, "'" + value)


def main(folder):
    different = 0
    for table in ("runs", "points", "series"):
        path = f"{folder}/{table}.parquet"
        columns = polars.read_parquet(path)
        with open(f"{folder}/{table}.csv", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            assert columns.columns == reader.fieldnames, f"{table}: other columns"
        assert columns.height == len(rows) == duckdb.sql(f"SELECT count(*) FROM '{path}'").fetchall()[0][0]
        for number, row in enumerate(columns.iter_rows(named=True)):
            for name, value in row.items():
                # A point without a value has no replications behind it.
                without = name == "n" and value == 0 and rows[number][name] == ""
                if not (without or same(value, rows[number][name])):
                    different += 1
                    print(f"{table}, row {number}, {name}: {value!r} and {rows[number][name]!r}")
        print(f"{table}: {columns.height} rows, {columns.width} columns")
    return min(different, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
