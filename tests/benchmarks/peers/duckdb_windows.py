"""DuckDB in SQL: the statements of the task, whose results it keeps in memory or in a file."""

import sys

import duckdb

from tests.benchmarks.peers.session import Session


def main(session: Session) -> None:
    """Run the task's statements and add their rows up."""
    task = session.task
    connection = duckdb.connect()
    connection.execute(f"SET threads = {task['threads']}")
    connection.execute("SET preserve_insertion_order = false")
    with session.timed():
        for k, query in enumerate(task["queries"]):
            verb = "CREATE TEMP TABLE result AS" if k == 0 else "INSERT INTO result"
            connection.execute(f"{verb} {query}")
        if task["output"]:
            connection.execute(f"COPY result TO '{task['output']}' (FORMAT parquet)")
    keys = ", ".join(f's."{key}"' for key in task["keys"])
    names = ", ".join(f'r."{step["name"]}"' for step in task["steps"])
    on = ", ".join(task["keys"])
    found = connection.execute(
        f"SELECT s.row AS row, {names} FROM read_parquet('{task['sample']}') s "
        f"LEFT JOIN result r USING ({on}) ORDER BY {keys}"
    )
    session.finish(found.to_arrow_table())


if __name__ == "__main__":
    main(Session.of(sys.argv[1]))
