"""Where a server stores: a SQLite file of its own, or with FAIRLEAD_TEST_ENGINE=postgres a database
of its own on the server that FAIRLEAD_TEST_POSTGRES names."""

import atexit
import os
import secrets
import sqlite3
from urllib.parse import urlsplit, urlunsplit

ON_POSTGRES = os.environ.get("FAIRLEAD_TEST_ENGINE") == "postgres"


class SQLiteStorage:
    def __init__(self, directory):
        self.path = directory / "fairlead.db"
        self.url = f"sqlite:{self.path}"

    def execute(self, sql, *values):
        """One statement from outside, with `%s` for values."""
        with sqlite3.connect(self.path) as connection:
            connection.execute(sql.replace("%s", "?"), values)
        connection.close()

    def contents(self):
        """`(name, bytes)` of what is stored beside the server's own files: nothing."""
        return []


class PostgresStorage:
    def __init__(self):
        # Only where it is used: the SQLite checks run without the package.
        import psycopg

        self.psycopg = psycopg
        self.server = os.environ["FAIRLEAD_TEST_POSTGRES"]
        self.name = f"fairlead_{secrets.token_hex(8)}"
        self._administer(f"CREATE DATABASE {self.name}")
        self.url = urlunsplit(urlsplit(self.server)._replace(path=f"/{self.name}"))
        atexit.register(self.drop)

    def drop(self):
        self._administer(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def _administer(self, sql):
        with self.psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql)

    def execute(self, sql, *values):
        """One statement from outside, with `%s` for values."""
        with self.psycopg.connect(self.url) as connection:
            connection.execute(sql, values)

    def contents(self):
        """`(name, bytes)` of every table: texts and bytes as they are, one after the other."""
        found = []
        with self.psycopg.connect(self.url) as connection:
            tables = connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            ).fetchall()
            for (table,) in tables:
                rows = connection.execute(f'SELECT * FROM "{table}"').fetchall()
                found.append((f"table {table}", b"\n".join(
                    value if isinstance(value, bytes) else str(value).encode()
                    for row in rows for value in row if value is not None)))
        return found


def new_storage(directory):
    return PostgresStorage() if ON_POSTGRES else SQLiteStorage(directory)
