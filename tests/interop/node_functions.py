"""Every function of the npm package ``bitmart-api`` 2.5.1 that calls the exchange, and our method for it, with samples.

Data only: the tests compare what both libraries send for these, and the table of functions in the documentation comes
from here too. Arguments are spelled and typed as the package's own type declarations have it, faults included; each
parameter that it declares is in some sample.
"""

from __future__ import annotations

from typing import Final

from node_function import NodeFunction
from node_futures_functions import FUTURES
from node_spot_functions import SPOT

SPOT_CLIENT: Final = "RestClient"
FUTURES_CLIENT: Final = "FuturesClientV2"

FUTURES_ON_SPOT_CLIENT: Final = frozenset({
    "getFuturesContractDetails", "getFuturesContractDepth", "getFuturesOpenInterest", "getFuturesFundingRate",
    "getFuturesKlines", "getFuturesAccountAssets", "getFuturesAccountOrder", "getFuturesAccountOrderHistory",
    "getFuturesAccountOpenOrders", "getFuturesAccountPlanOrders", "getFuturesAccountPositions",
    "getPositionRiskDetails", "getFuturesAccountTrades", "getFuturesTransfers", "submitFuturesOrder",
    "cancelFuturesOrder", "cancelAllFuturesOrders", "submitFuturesPlanOrder", "cancelFuturesPlanOrder",
    "submitFuturesTransfer", "setFuturesLeverage", "submitFuturesSubToMainTransferFromMain",
    "submitFuturesMainToSubTransferFromMain", "submitFuturesSubToMainSubFromSub", "getFuturesSubWallet",
    "getFuturesSubTransfers", "getFuturesSubTransferHistory", "getFuturesAffiliateRebates",
    "getFuturesAffiliateTrades",
})  # fmt: skip
"""Deprecated doubles on ``RestClient`` of functions of `FUTURES`."""

FUNCTIONS: Final[tuple[tuple[str, NodeFunction], ...]] = (
    *((SPOT_CLIENT, each) for each in SPOT),
    *((FUTURES_CLIENT, each) for each in FUTURES),
    *((SPOT_CLIENT, each) for each in FUTURES if each.name in FUTURES_ON_SPOT_CLIENT),
)
"""All of them, with the class that has them."""
