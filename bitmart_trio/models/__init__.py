"""What users hold: replies, pushes, requests, enumerations and events, all frozen and without IO.

The files are imported as their names are asked for: together they take as long to load as the rest.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from ._fields import Millis as Millis
from ._fields import Seconds as Seconds
from ._fields import from_millis as from_millis
from ._fields import from_seconds as from_seconds

if TYPE_CHECKING:
    from ._enums import OpenEnum as OpenEnum
    from ._enums import OpenInt as OpenInt
    from ._enums import OpenStr as OpenStr
    from ._enums import OrderSide as OrderSide
    from ._futures_enums import FuturesAccountType as FuturesAccountType
    from ._futures_enums import FuturesOrderSide as FuturesOrderSide
    from ._futures_enums import OpenType as OpenType
    from ._futures_enums import PositionMode as PositionMode
    from ._futures_enums import PositionSide as PositionSide
    from ._model import Model as Model
    from ._rows import Level as Level
    from ._rows import Levels as Levels
    from ._rows import Row as Row
    from .account_views import AccountOrder as AccountOrder
    from .account_views import AccountOrderKind as AccountOrderKind
    from .account_views import AccountPosition as AccountPosition
    from .account_views import AccountState as AccountState
    from .account_views import AccountStatistics as AccountStatistics
    from .account_views import Balance as Balance
    from .account_views import BalanceChanged as BalanceChanged
    from .account_views import ChangesMissed as ChangesMissed
    from .account_views import FuturesAccountChange as FuturesAccountChange
    from .account_views import FuturesAccountOrder as FuturesAccountOrder
    from .account_views import OrderChanged as OrderChanged
    from .account_views import OrderT_co as OrderT_co
    from .account_views import PositionChanged as PositionChanged
    from .account_views import Resynced as Resynced
    from .account_views import SpotAccountChange as SpotAccountChange
    from .account_views import SpotAccountOrder as SpotAccountOrder
    from .broker import BrokerRebate as BrokerRebate
    from .broker import BrokerRebates as BrokerRebates
    from .call_events import CallReplied as CallReplied
    from .call_events import CallSent as CallSent
    from .drift import Drift as Drift
    from .earn import AutoSavingsStatus as AutoSavingsStatus
    from .earn import AutoSubscribeAction as AutoSubscribeAction
    from .earn import EarnHolding as EarnHolding
    from .earn import EarnTierRate as EarnTierRate
    from .earn import FixedAutoSubscribe as FixedAutoSubscribe
    from .earn import FixedSavingsHolding as FixedSavingsHolding
    from .earn import FixedSavingsHoldingPage as FixedSavingsHoldingPage
    from .earn import FixedSavingsProduct as FixedSavingsProduct
    from .earn import FixedSavingsProductPage as FixedSavingsProductPage
    from .earn import FixedSavingsRecord as FixedSavingsRecord
    from .earn import FixedSavingsRecordPage as FixedSavingsRecordPage
    from .earn import FlexibleAutoSubscribeStatus as FlexibleAutoSubscribeStatus
    from .earn import FlexibleSavingsHolding as FlexibleSavingsHolding
    from .earn import FlexibleSavingsHoldingPage as FlexibleSavingsHoldingPage
    from .earn import FlexibleSavingsProduct as FlexibleSavingsProduct
    from .earn import FlexibleSavingsProductPage as FlexibleSavingsProductPage
    from .earn import FlexibleSavingsRecord as FlexibleSavingsRecord
    from .earn import FlexibleSavingsRecordPage as FlexibleSavingsRecordPage
    from .earn import OnOff as OnOff
    from .earn import SavingsRecordType as SavingsRecordType
    from .futures_account import AutoRepayment as AutoRepayment
    from .futures_account import AutoRepaymentPage as AutoRepaymentPage
    from .futures_account import FlowType as FlowType
    from .futures_account import FundingTransferType as FundingTransferType
    from .futures_account import FuturesAsset as FuturesAsset
    from .futures_account import FuturesTradeFeeRate as FuturesTradeFeeRate
    from .futures_account import FuturesTransfer as FuturesTransfer
    from .futures_account import FuturesTransferResult as FuturesTransferResult
    from .futures_account import FuturesTransferType as FuturesTransferType
    from .futures_account import InterestLogItem as InterestLogItem
    from .futures_account import InterestLogPage as InterestLogPage
    from .futures_account import Transaction as Transaction
    from .futures_account import TransactionType as TransactionType
    from .futures_account import TransferState as TransferState
    from .futures_affiliate import AffiliateApiRebate as AffiliateApiRebate
    from .futures_affiliate import AffiliateCategory as AffiliateCategory
    from .futures_affiliate import AffiliateCopyTrade as AffiliateCopyTrade
    from .futures_affiliate import AffiliateCustomerInfo as AffiliateCustomerInfo
    from .futures_affiliate import AffiliateFundsRecord as AffiliateFundsRecord
    from .futures_affiliate import AffiliateFundsRecordPage as AffiliateFundsRecordPage
    from .futures_affiliate import AffiliateFundsType as AffiliateFundsType
    from .futures_affiliate import AffiliateInviteCheck as AffiliateInviteCheck
    from .futures_affiliate import AffiliateInvitedUser as AffiliateInvitedUser
    from .futures_affiliate import AffiliateInvitedUserPage as AffiliateInvitedUserPage
    from .futures_affiliate import AffiliateOpenType as AffiliateOpenType
    from .futures_affiliate import AffiliateRebate as AffiliateRebate
    from .futures_affiliate import AffiliateRebatePage as AffiliateRebatePage
    from .futures_affiliate import AffiliateRebateStatus as AffiliateRebateStatus
    from .futures_affiliate import AffiliateTrade as AffiliateTrade
    from .futures_affiliate import AffiliateTradePage as AffiliateTradePage
    from .futures_affiliate import AffiliateUserRebate as AffiliateUserRebate
    from .futures_affiliate import AffiliateUserType as AffiliateUserType
    from .futures_demo import DemoClaimResult as DemoClaimResult
    from .futures_market import ContractDetails as ContractDetails
    from .futures_market import ContractStatus as ContractStatus
    from .futures_market import FundingRate as FundingRate
    from .futures_market import FundingRateRecord as FundingRateRecord
    from .futures_market import FuturesBookLevel as FuturesBookLevel
    from .futures_market import FuturesKline as FuturesKline
    from .futures_market import FuturesKlineStep as FuturesKlineStep
    from .futures_market import FuturesMarketTrade as FuturesMarketTrade
    from .futures_market import FuturesOrderBook as FuturesOrderBook
    from .futures_market import LeverageBracket as LeverageBracket
    from .futures_market import LeverageBracketRule as LeverageBracketRule
    from .futures_market import LowLiquidityConfig as LowLiquidityConfig
    from .futures_market import MarketGroup as MarketGroup
    from .futures_market import OpenInterest as OpenInterest
    from .futures_market import ProductType as ProductType
    from .futures_market import SessionStatus as SessionStatus
    from .futures_market import TradFiInfo as TradFiInfo
    from .futures_position import ContractMargin as ContractMargin
    from .futures_position import FuturesPosition as FuturesPosition
    from .futures_position import FuturesPositionV2 as FuturesPositionV2
    from .futures_position import LeverageResult as LeverageResult
    from .futures_position import PositionModeResult as PositionModeResult
    from .futures_position import PositionRisk as PositionRisk
    from .futures_position import PositionType as PositionType
    from .futures_streams import BookSide as BookSide
    from .futures_streams import FuturesAssetUpdate as FuturesAssetUpdate
    from .futures_streams import FuturesBookTicker as FuturesBookTicker
    from .futures_streams import FuturesDepth as FuturesDepth
    from .futures_streams import FuturesDepthIncrease as FuturesDepthIncrease
    from .futures_streams import FuturesDepthSide as FuturesDepthSide
    from .futures_streams import FuturesFundingRateUpdate as FuturesFundingRateUpdate
    from .futures_streams import FuturesKlineUpdate as FuturesKlineUpdate
    from .futures_streams import FuturesMarkPriceKlineUpdate as FuturesMarkPriceKlineUpdate
    from .futures_streams import FuturesOrderAction as FuturesOrderAction
    from .futures_streams import FuturesOrderUpdate as FuturesOrderUpdate
    from .futures_streams import FuturesPositionUpdate as FuturesPositionUpdate
    from .futures_streams import FuturesPushedFill as FuturesPushedFill
    from .futures_streams import FuturesPushedOrder as FuturesPushedOrder
    from .futures_streams import FuturesPushedOrderType as FuturesPushedOrderType
    from .futures_streams import FuturesTicker as FuturesTicker
    from .futures_streams import FuturesTrade as FuturesTrade
    from .futures_streams import MarginModeNumber as MarginModeNumber
    from .futures_streams import TradeWay as TradeWay
    from .futures_sub_account import FuturesSubAccountBalance as FuturesSubAccountBalance
    from .futures_trading import CancelAllAfterResult as CancelAllAfterResult
    from .futures_trading import ExecType as ExecType
    from .futures_trading import FuturesFill as FuturesFill
    from .futures_trading import FuturesOrder as FuturesOrder
    from .futures_trading import FuturesOrderId as FuturesOrderId
    from .futures_trading import FuturesOrderIds as FuturesOrderIds
    from .futures_trading import FuturesOrderMode as FuturesOrderMode
    from .futures_trading import FuturesOrderPlaced as FuturesOrderPlaced
    from .futures_trading import FuturesOrderState as FuturesOrderState
    from .futures_trading import FuturesOrderType as FuturesOrderType
    from .futures_trading import FuturesStpMode as FuturesStpMode
    from .futures_trading import OrderStateFilter as OrderStateFilter
    from .futures_trading import PlanCategory as PlanCategory
    from .futures_trading import PlanOrder as PlanOrder
    from .futures_trading import PlanOrderType as PlanOrderType
    from .futures_trading import PlanTypeFilter as PlanTypeFilter
    from .futures_trading import PriceType as PriceType
    from .futures_trading import PriceWay as PriceWay
    from .margin import BorrowingRate as BorrowingRate
    from .margin import BorrowPlaced as BorrowPlaced
    from .margin import BorrowRecord as BorrowRecord
    from .margin import BorrowTerms as BorrowTerms
    from .margin import MarginAccount as MarginAccount
    from .margin import MarginAsset as MarginAsset
    from .margin import MarginTransferPlaced as MarginTransferPlaced
    from .margin import MarginTransferSide as MarginTransferSide
    from .margin import RepayPlaced as RepayPlaced
    from .margin import RepayRecord as RepayRecord
    from .rules import FuturesRules as FuturesRules
    from .rules import MarketRules as MarketRules
    from .rules import SpotRules as SpotRules
    from .rules import Violation as Violation
    from .spot_account import AccountBalance as AccountBalance
    from .spot_account import AccountCurrency as AccountCurrency
    from .spot_account import AccountInfo as AccountInfo
    from .spot_account import AccountStatus as AccountStatus
    from .spot_account import AccountTransferType as AccountTransferType
    from .spot_account import AccountType as AccountType
    from .spot_account import ApiKeyInfo as ApiKeyInfo
    from .spot_account import ApiKeyStatus as ApiKeyStatus
    from .spot_account import BasicFeeRate as BasicFeeRate
    from .spot_account import DepositAccountType as DepositAccountType
    from .spot_account import DepositAddress as DepositAddress
    from .spot_account import DepositWithdrawRecord as DepositWithdrawRecord
    from .spot_account import DepositWithdrawStatus as DepositWithdrawStatus
    from .spot_account import OperationType as OperationType
    from .spot_account import SourceAccount as SourceAccount
    from .spot_account import SpotBalance as SpotBalance
    from .spot_account import SpotTradeFeeRate as SpotTradeFeeRate
    from .spot_account import UserRateType as UserRateType
    from .spot_account import VerifyStatus as VerifyStatus
    from .spot_account import WithdrawAccountType as WithdrawAccountType
    from .spot_account import WithdrawAddress as WithdrawAddress
    from .spot_account import WithdrawAddressType as WithdrawAddressType
    from .spot_account import WithdrawPlaced as WithdrawPlaced
    from .spot_account import WithdrawQuota as WithdrawQuota
    from .spot_market import BookLevelV1 as BookLevelV1
    from .spot_market import Currency as Currency
    from .spot_market import OrderBookV1 as OrderBookV1
    from .spot_market import SpotKline as SpotKline
    from .spot_market import SpotKlineStep as SpotKlineStep
    from .spot_market import SpotKlineV1 as SpotKlineV1
    from .spot_market import SpotMarketTrade as SpotMarketTrade
    from .spot_market import SpotOrderBook as SpotOrderBook
    from .spot_market import SymbolDetails as SymbolDetails
    from .spot_market import Ticker as Ticker
    from .spot_market import TickerV1 as TickerV1
    from .spot_market import TradeStatus as TradeStatus
    from .spot_streams import BalanceEvent as BalanceEvent
    from .spot_streams import BookUpdateType as BookUpdateType
    from .spot_streams import CustodyType as CustodyType
    from .spot_streams import FillRole as FillRole
    from .spot_streams import SpotBalanceUpdate as SpotBalanceUpdate
    from .spot_streams import SpotBookTicker as SpotBookTicker
    from .spot_streams import SpotDepth as SpotDepth
    from .spot_streams import SpotDepthIncrease as SpotDepthIncrease
    from .spot_streams import SpotEntrustType as SpotEntrustType
    from .spot_streams import SpotKlineUpdate as SpotKlineUpdate
    from .spot_streams import SpotOrderUpdate as SpotOrderUpdate
    from .spot_streams import SpotPushedBalance as SpotPushedBalance
    from .spot_streams import SpotTicker as SpotTicker
    from .spot_streams import SpotTrade as SpotTrade
    from .spot_sub_account import MoveType as MoveType
    from .spot_sub_account import SpotSubAccountBalance as SpotSubAccountBalance
    from .spot_sub_account import SubAccount as SubAccount
    from .spot_sub_account import SubAccountStatus as SubAccountStatus
    from .spot_sub_account import SubTransfer as SubTransfer
    from .spot_sub_account import SubTransferPage as SubTransferPage
    from .spot_trading import AlgoOrder as AlgoOrder
    from .spot_trading import AlgoOrderType as AlgoOrderType
    from .spot_trading import AlgoTriggerType as AlgoTriggerType
    from .spot_trading import BatchOrderIds as BatchOrderIds
    from .spot_trading import BatchOrderParam as BatchOrderParam
    from .spot_trading import BatchOrderParamV2 as BatchOrderParamV2
    from .spot_trading import BatchOrderResultV2 as BatchOrderResultV2
    from .spot_trading import CancelBatchResult as CancelBatchResult
    from .spot_trading import CancelResult as CancelResult
    from .spot_trading import CancelSource as CancelSource
    from .spot_trading import OrderPlaced as OrderPlaced
    from .spot_trading import QueryState as QueryState
    from .spot_trading import SpotFill as SpotFill
    from .spot_trading import SpotOrder as SpotOrder
    from .spot_trading import SpotOrderMode as SpotOrderMode
    from .spot_trading import SpotOrderState as SpotOrderState
    from .spot_trading import SpotOrderType as SpotOrderType
    from .spot_trading import SpotStpMode as SpotStpMode
    from .spot_trading import TradeRole as TradeRole
    from .stream_events import About as About
    from .stream_events import AnyStreamEvent as AnyStreamEvent
    from .stream_events import Authenticated as Authenticated
    from .stream_events import Backfilled as Backfilled
    from .stream_events import Closed as Closed
    from .stream_events import Gap as Gap
    from .stream_events import Lost as Lost
    from .stream_events import Malformed as Malformed
    from .stream_events import Opened as Opened
    from .stream_events import RawPush as RawPush
    from .stream_events import Reconnected as Reconnected
    from .stream_events import Refused as Refused
    from .stream_events import ServerComplaint as ServerComplaint
    from .stream_events import Silent as Silent
    from .stream_events import Stalled as Stalled
    from .stream_events import StreamEvent as StreamEvent
    from .stream_events import Subscribed as Subscribed
    from .stream_events import Suspended as Suspended
    from .system import Latency as Latency
    from .system import MaintenanceStatus as MaintenanceStatus
    from .system import ServiceStatus as ServiceStatus
    from .system import ServiceType as ServiceType
    from .system import SystemTime as SystemTime
else:
    import typing

    def _files() -> list[str]:
        """Where users' names are; how objects are written is no model."""
        return [file.name for file in iter_modules(__path__) if file.name != "_plain"]

    def _names(file: str) -> dict[str, object]:
        """What a file defines for users: its classes, and its aliases of types."""
        module = import_module(f".{file}", __name__)
        return {
            name: value
            for name, value in vars(module).items()
            if name[0].isupper()
            and not name.isupper()
            and (value.__module__ == module.__name__ if isinstance(value, type) else name not in vars(typing))
        }

    def __getattr__(name: str) -> object:
        if name[0].isupper():  # "from . import <file>" asks here first, and must not load all the others
            for file in _files():
                found = _names(file)
                if name in found:
                    globals()[name] = found[name]
                    return found[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({name for file in _files() for name in _names(file)} | {*globals()})
