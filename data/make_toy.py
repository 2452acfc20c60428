"""Writes the toy market that ships with the project; the same bytes each time."""

from __future__ import annotations

from pathlib import Path

from alphastrata.data import simulate_market

HERE = Path(__file__).resolve().parent / "toy"


def main() -> None:
    """Write market.csv and statements.csv."""
    market = simulate_market(20, "2010-01-31", 36, seed=7)
    HERE.mkdir(exist_ok=True)
    kept = ["ret", "price", "volume", "shares", "market_cap", "exchange", "industry"]
    market.panel.frame[kept].round(6).to_csv(HERE / "market.csv", lineterminator="\n")
    statements = market.statements
    numbers = statements.select_dtypes("number").columns
    statements[numbers] = statements[numbers].round(2)
    statements.to_csv(HERE / "statements.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
