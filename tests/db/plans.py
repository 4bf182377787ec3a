"""How Postgres would run the statements that the code sends."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import scalar_row
from psycopg.sql import SQL, Composable

from shared.db.database import Transaction


@dataclass(frozen=True)
class Plans:
    """The nodes of all plans of one transaction."""

    nodes: list[dict[str, Any]] = field(default_factory=list)

    def add(self, node: dict[str, Any]) -> None:
        """Keep a node and all below it."""
        self.nodes.append(node)
        for child in node.get("Plans", []):
            self.add(child)

    @property
    def indexes(self) -> set[str]:
        """The indexes that are used."""
        return {node["Index Name"] for node in self.nodes if "Index Name" in node}

    @property
    def cost(self) -> float:
        """The cost of the dearest node, in the planner's units."""
        cost: float = max(node["Total Cost"] for node in self.nodes)
        return cost

    @property
    def scanned(self) -> set[str]:
        """The tables that are read from end to end."""
        return {node["Relation Name"] for node in self.nodes if node["Node Type"] == "Seq Scan"}


def explain(transaction: Transaction, query: Callable[[Transaction], object]) -> Plans:
    """The plans of what a function executes in a transaction; it is executed too."""
    plans = Plans()

    class ExplainingCursor(psycopg.Cursor[Any]):
        """Asks for the plan of each statement before it executes it."""

        def execute(self, query: Any, params: Any = None, **options: Any) -> "ExplainingCursor":
            statement = query if isinstance(query, Composable) else SQL(query)
            with psycopg.Cursor(self.connection, row_factory=scalar_row) as cursor:
                for plan in cursor.execute(SQL("explain (format json) ") + statement, params):
                    plans.add(plan[0]["Plan"])
            super().execute(query, params, **options)
            return self

    transaction.cursor_factory = ExplainingCursor
    query(transaction)
    return plans
