"""One class per SQLSTATE of PostgreSQL: generated, do not edit.

Written by `scripts/generate_sqlstate.py` from PostgreSQL's errcodes.txt; its docstring says how.

See "PostgreSQL Error Codes": https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

from greenpg.errors import _tree as e


class NoData(e.DatabaseError):
    """SQLSTATE 02000: no data."""

    __module__ = "greenpg.errors"
    sqlstate = "02000"


class NoAdditionalDynamicResultSetsReturned(e.DatabaseError):
    """SQLSTATE 02001: no additional dynamic result sets returned."""

    __module__ = "greenpg.errors"
    sqlstate = "02001"


class SqlStatementNotYetComplete(e.DatabaseError):
    """SQLSTATE 03000: sql statement not yet complete."""

    __module__ = "greenpg.errors"
    sqlstate = "03000"


class ConnectionException(e.OperationalError):
    """SQLSTATE 08000: connection exception."""

    __module__ = "greenpg.errors"
    sqlstate = "08000"


class SqlclientUnableToEstablishSqlconnection(e.OperationalError):
    """SQLSTATE 08001: sqlclient unable to establish sqlconnection."""

    __module__ = "greenpg.errors"
    sqlstate = "08001"


class ConnectionDoesNotExist(e.OperationalError):
    """SQLSTATE 08003: connection does not exist."""

    __module__ = "greenpg.errors"
    sqlstate = "08003"


class SqlserverRejectedEstablishmentOfSqlconnection(e.OperationalError):
    """SQLSTATE 08004: sqlserver rejected establishment of sqlconnection."""

    __module__ = "greenpg.errors"
    sqlstate = "08004"


class ConnectionFailure(e.OperationalError):
    """SQLSTATE 08006: connection failure."""

    __module__ = "greenpg.errors"
    sqlstate = "08006"


class TransactionResolutionUnknown(e.OperationalError):
    """SQLSTATE 08007: transaction resolution unknown."""

    __module__ = "greenpg.errors"
    sqlstate = "08007"


class ProtocolViolation(e.OperationalError):
    """SQLSTATE 08P01: protocol violation."""

    __module__ = "greenpg.errors"
    sqlstate = "08P01"


class TriggeredActionException(e.DatabaseError):
    """SQLSTATE 09000: triggered action exception."""

    __module__ = "greenpg.errors"
    sqlstate = "09000"


class FeatureNotSupported(e.NotSupportedError):
    """SQLSTATE 0A000: feature not supported."""

    __module__ = "greenpg.errors"
    sqlstate = "0A000"


class InvalidTransactionInitiation(e.DatabaseError):
    """SQLSTATE 0B000: invalid transaction initiation."""

    __module__ = "greenpg.errors"
    sqlstate = "0B000"


class LocatorException(e.DatabaseError):
    """SQLSTATE 0F000: locator exception."""

    __module__ = "greenpg.errors"
    sqlstate = "0F000"


class InvalidLocatorSpecification(e.DatabaseError):
    """SQLSTATE 0F001: invalid locator specification."""

    __module__ = "greenpg.errors"
    sqlstate = "0F001"


class InvalidGrantor(e.DatabaseError):
    """SQLSTATE 0L000: invalid grantor."""

    __module__ = "greenpg.errors"
    sqlstate = "0L000"


class InvalidGrantOperation(e.DatabaseError):
    """SQLSTATE 0LP01: invalid grant operation."""

    __module__ = "greenpg.errors"
    sqlstate = "0LP01"


class InvalidRoleSpecification(e.DatabaseError):
    """SQLSTATE 0P000: invalid role specification."""

    __module__ = "greenpg.errors"
    sqlstate = "0P000"


class DiagnosticsException(e.DatabaseError):
    """SQLSTATE 0Z000: diagnostics exception."""

    __module__ = "greenpg.errors"
    sqlstate = "0Z000"


class StackedDiagnosticsAccessedWithoutActiveHandler(e.DatabaseError):
    """SQLSTATE 0Z002: stacked diagnostics accessed without active handler."""

    __module__ = "greenpg.errors"
    sqlstate = "0Z002"


class InvalidArgumentForXquery(e.ProgrammingError):
    """SQLSTATE 10608: invalid argument for xquery."""

    __module__ = "greenpg.errors"
    sqlstate = "10608"


class CaseNotFound(e.ProgrammingError):
    """SQLSTATE 20000: case not found."""

    __module__ = "greenpg.errors"
    sqlstate = "20000"


class CardinalityViolation(e.ProgrammingError):
    """SQLSTATE 21000: cardinality violation."""

    __module__ = "greenpg.errors"
    sqlstate = "21000"


class DataException(e.DataError):
    """SQLSTATE 22000: data exception."""

    __module__ = "greenpg.errors"
    sqlstate = "22000"


class StringDataRightTruncation(e.DataError):
    """SQLSTATE 22001: string data right truncation."""

    __module__ = "greenpg.errors"
    sqlstate = "22001"


class NullValueNoIndicatorParameter(e.DataError):
    """SQLSTATE 22002: null value no indicator parameter."""

    __module__ = "greenpg.errors"
    sqlstate = "22002"


class NumericValueOutOfRange(e.DataError):
    """SQLSTATE 22003: numeric value out of range."""

    __module__ = "greenpg.errors"
    sqlstate = "22003"


class NullValueNotAllowed(e.DataError):
    """SQLSTATE 22004: null value not allowed."""

    __module__ = "greenpg.errors"
    sqlstate = "22004"


class ErrorInAssignment(e.DataError):
    """SQLSTATE 22005: error in assignment."""

    __module__ = "greenpg.errors"
    sqlstate = "22005"


class InvalidDatetimeFormat(e.DataError):
    """SQLSTATE 22007: invalid datetime format."""

    __module__ = "greenpg.errors"
    sqlstate = "22007"


class DatetimeFieldOverflow(e.DataError):
    """SQLSTATE 22008: datetime field overflow."""

    __module__ = "greenpg.errors"
    sqlstate = "22008"


class InvalidTimeZoneDisplacementValue(e.DataError):
    """SQLSTATE 22009: invalid time zone displacement value."""

    __module__ = "greenpg.errors"
    sqlstate = "22009"


class EscapeCharacterConflict(e.DataError):
    """SQLSTATE 2200B: escape character conflict."""

    __module__ = "greenpg.errors"
    sqlstate = "2200B"


class InvalidUseOfEscapeCharacter(e.DataError):
    """SQLSTATE 2200C: invalid use of escape character."""

    __module__ = "greenpg.errors"
    sqlstate = "2200C"


class InvalidEscapeOctet(e.DataError):
    """SQLSTATE 2200D: invalid escape octet."""

    __module__ = "greenpg.errors"
    sqlstate = "2200D"


class ZeroLengthCharacterString(e.DataError):
    """SQLSTATE 2200F: zero length character string."""

    __module__ = "greenpg.errors"
    sqlstate = "2200F"


class MostSpecificTypeMismatch(e.DataError):
    """SQLSTATE 2200G: most specific type mismatch."""

    __module__ = "greenpg.errors"
    sqlstate = "2200G"


class SequenceGeneratorLimitExceeded(e.DataError):
    """SQLSTATE 2200H: sequence generator limit exceeded."""

    __module__ = "greenpg.errors"
    sqlstate = "2200H"


class NotAnXmlDocument(e.DataError):
    """SQLSTATE 2200L: not an xml document."""

    __module__ = "greenpg.errors"
    sqlstate = "2200L"


class InvalidXmlDocument(e.DataError):
    """SQLSTATE 2200M: invalid xml document."""

    __module__ = "greenpg.errors"
    sqlstate = "2200M"


class InvalidXmlContent(e.DataError):
    """SQLSTATE 2200N: invalid xml content."""

    __module__ = "greenpg.errors"
    sqlstate = "2200N"


class InvalidXmlComment(e.DataError):
    """SQLSTATE 2200S: invalid xml comment."""

    __module__ = "greenpg.errors"
    sqlstate = "2200S"


class InvalidXmlProcessingInstruction(e.DataError):
    """SQLSTATE 2200T: invalid xml processing instruction."""

    __module__ = "greenpg.errors"
    sqlstate = "2200T"


class InvalidIndicatorParameterValue(e.DataError):
    """SQLSTATE 22010: invalid indicator parameter value."""

    __module__ = "greenpg.errors"
    sqlstate = "22010"


class SubstringError(e.DataError):
    """SQLSTATE 22011: substring error."""

    __module__ = "greenpg.errors"
    sqlstate = "22011"


class DivisionByZero(e.DataError):
    """SQLSTATE 22012: division by zero."""

    __module__ = "greenpg.errors"
    sqlstate = "22012"


class InvalidPrecedingOrFollowingSize(e.DataError):
    """SQLSTATE 22013: invalid preceding or following size."""

    __module__ = "greenpg.errors"
    sqlstate = "22013"


class InvalidArgumentForNtileFunction(e.DataError):
    """SQLSTATE 22014: invalid argument for ntile function."""

    __module__ = "greenpg.errors"
    sqlstate = "22014"


class IntervalFieldOverflow(e.DataError):
    """SQLSTATE 22015: interval field overflow."""

    __module__ = "greenpg.errors"
    sqlstate = "22015"


class InvalidArgumentForNthValueFunction(e.DataError):
    """SQLSTATE 22016: invalid argument for nth value function."""

    __module__ = "greenpg.errors"
    sqlstate = "22016"


class InvalidCharacterValueForCast(e.DataError):
    """SQLSTATE 22018: invalid character value for cast."""

    __module__ = "greenpg.errors"
    sqlstate = "22018"


class InvalidEscapeCharacter(e.DataError):
    """SQLSTATE 22019: invalid escape character."""

    __module__ = "greenpg.errors"
    sqlstate = "22019"


class InvalidRegularExpression(e.DataError):
    """SQLSTATE 2201B: invalid regular expression."""

    __module__ = "greenpg.errors"
    sqlstate = "2201B"


class InvalidArgumentForLogarithm(e.DataError):
    """SQLSTATE 2201E: invalid argument for logarithm."""

    __module__ = "greenpg.errors"
    sqlstate = "2201E"


class InvalidArgumentForPowerFunction(e.DataError):
    """SQLSTATE 2201F: invalid argument for power function."""

    __module__ = "greenpg.errors"
    sqlstate = "2201F"


class InvalidArgumentForWidthBucketFunction(e.DataError):
    """SQLSTATE 2201G: invalid argument for width bucket function."""

    __module__ = "greenpg.errors"
    sqlstate = "2201G"


class InvalidRowCountInLimitClause(e.DataError):
    """SQLSTATE 2201W: invalid row count in limit clause."""

    __module__ = "greenpg.errors"
    sqlstate = "2201W"


class InvalidRowCountInResultOffsetClause(e.DataError):
    """SQLSTATE 2201X: invalid row count in result offset clause."""

    __module__ = "greenpg.errors"
    sqlstate = "2201X"


class CharacterNotInRepertoire(e.DataError):
    """SQLSTATE 22021: character not in repertoire."""

    __module__ = "greenpg.errors"
    sqlstate = "22021"


class IndicatorOverflow(e.DataError):
    """SQLSTATE 22022: indicator overflow."""

    __module__ = "greenpg.errors"
    sqlstate = "22022"


class InvalidParameterValue(e.DataError):
    """SQLSTATE 22023: invalid parameter value."""

    __module__ = "greenpg.errors"
    sqlstate = "22023"


class UnterminatedCString(e.DataError):
    """SQLSTATE 22024: unterminated c string."""

    __module__ = "greenpg.errors"
    sqlstate = "22024"


class InvalidEscapeSequence(e.DataError):
    """SQLSTATE 22025: invalid escape sequence."""

    __module__ = "greenpg.errors"
    sqlstate = "22025"


class StringDataLengthMismatch(e.DataError):
    """SQLSTATE 22026: string data length mismatch."""

    __module__ = "greenpg.errors"
    sqlstate = "22026"


class TrimError(e.DataError):
    """SQLSTATE 22027: trim error."""

    __module__ = "greenpg.errors"
    sqlstate = "22027"


class ArraySubscriptError(e.DataError):
    """SQLSTATE 2202E: array subscript error."""

    __module__ = "greenpg.errors"
    sqlstate = "2202E"


class InvalidTablesampleRepeat(e.DataError):
    """SQLSTATE 2202G: invalid tablesample repeat."""

    __module__ = "greenpg.errors"
    sqlstate = "2202G"


class InvalidTablesampleArgument(e.DataError):
    """SQLSTATE 2202H: invalid tablesample argument."""

    __module__ = "greenpg.errors"
    sqlstate = "2202H"


class DuplicateJsonObjectKeyValue(e.DataError):
    """SQLSTATE 22030: duplicate json object key value."""

    __module__ = "greenpg.errors"
    sqlstate = "22030"


class InvalidArgumentForSqlJsonDatetimeFunction(e.DataError):
    """SQLSTATE 22031: invalid argument for sql json datetime function."""

    __module__ = "greenpg.errors"
    sqlstate = "22031"


class InvalidJsonText(e.DataError):
    """SQLSTATE 22032: invalid json text."""

    __module__ = "greenpg.errors"
    sqlstate = "22032"


class InvalidSqlJsonSubscript(e.DataError):
    """SQLSTATE 22033: invalid sql json subscript."""

    __module__ = "greenpg.errors"
    sqlstate = "22033"


class MoreThanOneSqlJsonItem(e.DataError):
    """SQLSTATE 22034: more than one sql json item."""

    __module__ = "greenpg.errors"
    sqlstate = "22034"


class NoSqlJsonItem(e.DataError):
    """SQLSTATE 22035: no sql json item."""

    __module__ = "greenpg.errors"
    sqlstate = "22035"


class NonNumericSqlJsonItem(e.DataError):
    """SQLSTATE 22036: non numeric sql json item."""

    __module__ = "greenpg.errors"
    sqlstate = "22036"


class NonUniqueKeysInAJsonObject(e.DataError):
    """SQLSTATE 22037: non unique keys in a json object."""

    __module__ = "greenpg.errors"
    sqlstate = "22037"


class SingletonSqlJsonItemRequired(e.DataError):
    """SQLSTATE 22038: singleton sql json item required."""

    __module__ = "greenpg.errors"
    sqlstate = "22038"


class SqlJsonArrayNotFound(e.DataError):
    """SQLSTATE 22039: sql json array not found."""

    __module__ = "greenpg.errors"
    sqlstate = "22039"


class SqlJsonMemberNotFound(e.DataError):
    """SQLSTATE 2203A: sql json member not found."""

    __module__ = "greenpg.errors"
    sqlstate = "2203A"


class SqlJsonNumberNotFound(e.DataError):
    """SQLSTATE 2203B: sql json number not found."""

    __module__ = "greenpg.errors"
    sqlstate = "2203B"


class SqlJsonObjectNotFound(e.DataError):
    """SQLSTATE 2203C: sql json object not found."""

    __module__ = "greenpg.errors"
    sqlstate = "2203C"


class TooManyJsonArrayElements(e.DataError):
    """SQLSTATE 2203D: too many json array elements."""

    __module__ = "greenpg.errors"
    sqlstate = "2203D"


class TooManyJsonObjectMembers(e.DataError):
    """SQLSTATE 2203E: too many json object members."""

    __module__ = "greenpg.errors"
    sqlstate = "2203E"


class SqlJsonScalarRequired(e.DataError):
    """SQLSTATE 2203F: sql json scalar required."""

    __module__ = "greenpg.errors"
    sqlstate = "2203F"


class SqlJsonItemCannotBeCastToTargetType(e.DataError):
    """SQLSTATE 2203G: sql json item cannot be cast to target type."""

    __module__ = "greenpg.errors"
    sqlstate = "2203G"


class FloatingPointException(e.DataError):
    """SQLSTATE 22P01: floating point exception."""

    __module__ = "greenpg.errors"
    sqlstate = "22P01"


class InvalidTextRepresentation(e.DataError):
    """SQLSTATE 22P02: invalid text representation."""

    __module__ = "greenpg.errors"
    sqlstate = "22P02"


class InvalidBinaryRepresentation(e.DataError):
    """SQLSTATE 22P03: invalid binary representation."""

    __module__ = "greenpg.errors"
    sqlstate = "22P03"


class BadCopyFileFormat(e.DataError):
    """SQLSTATE 22P04: bad copy file format."""

    __module__ = "greenpg.errors"
    sqlstate = "22P04"


class UntranslatableCharacter(e.DataError):
    """SQLSTATE 22P05: untranslatable character."""

    __module__ = "greenpg.errors"
    sqlstate = "22P05"


class NonstandardUseOfEscapeCharacter(e.DataError):
    """SQLSTATE 22P06: nonstandard use of escape character."""

    __module__ = "greenpg.errors"
    sqlstate = "22P06"


class IntegrityConstraintViolation(e.IntegrityError):
    """SQLSTATE 23000: integrity constraint violation."""

    __module__ = "greenpg.errors"
    sqlstate = "23000"


class RestrictViolation(e.IntegrityError):
    """SQLSTATE 23001: restrict violation."""

    __module__ = "greenpg.errors"
    sqlstate = "23001"


class NotNullViolation(e.IntegrityError):
    """SQLSTATE 23502: not null violation."""

    __module__ = "greenpg.errors"
    sqlstate = "23502"


class ForeignKeyViolation(e.IntegrityError):
    """SQLSTATE 23503: foreign key violation."""

    __module__ = "greenpg.errors"
    sqlstate = "23503"


class UniqueViolation(e.IntegrityError):
    """SQLSTATE 23505: unique violation."""

    __module__ = "greenpg.errors"
    sqlstate = "23505"


class CheckViolation(e.IntegrityError):
    """SQLSTATE 23514: check violation."""

    __module__ = "greenpg.errors"
    sqlstate = "23514"


class ExclusionViolation(e.IntegrityError):
    """SQLSTATE 23P01: exclusion violation."""

    __module__ = "greenpg.errors"
    sqlstate = "23P01"


class InvalidCursorState(e.InternalError):
    """SQLSTATE 24000: invalid cursor state."""

    __module__ = "greenpg.errors"
    sqlstate = "24000"


class InvalidTransactionState(e.InternalError):
    """SQLSTATE 25000: invalid transaction state."""

    __module__ = "greenpg.errors"
    sqlstate = "25000"


class ActiveSqlTransaction(e.InternalError):
    """SQLSTATE 25001: active sql transaction."""

    __module__ = "greenpg.errors"
    sqlstate = "25001"


class BranchTransactionAlreadyActive(e.InternalError):
    """SQLSTATE 25002: branch transaction already active."""

    __module__ = "greenpg.errors"
    sqlstate = "25002"


class InappropriateAccessModeForBranchTransaction(e.InternalError):
    """SQLSTATE 25003: inappropriate access mode for branch transaction."""

    __module__ = "greenpg.errors"
    sqlstate = "25003"


class InappropriateIsolationLevelForBranchTransaction(e.InternalError):
    """SQLSTATE 25004: inappropriate isolation level for branch transaction."""

    __module__ = "greenpg.errors"
    sqlstate = "25004"


class NoActiveSqlTransactionForBranchTransaction(e.InternalError):
    """SQLSTATE 25005: no active sql transaction for branch transaction."""

    __module__ = "greenpg.errors"
    sqlstate = "25005"


class ReadOnlySqlTransaction(e.InternalError):
    """SQLSTATE 25006: read only sql transaction."""

    __module__ = "greenpg.errors"
    sqlstate = "25006"


class SchemaAndDataStatementMixingNotSupported(e.InternalError):
    """SQLSTATE 25007: schema and data statement mixing not supported."""

    __module__ = "greenpg.errors"
    sqlstate = "25007"


class HeldCursorRequiresSameIsolationLevel(e.InternalError):
    """SQLSTATE 25008: held cursor requires same isolation level."""

    __module__ = "greenpg.errors"
    sqlstate = "25008"


class NoActiveSqlTransaction(e.InternalError):
    """SQLSTATE 25P01: no active sql transaction."""

    __module__ = "greenpg.errors"
    sqlstate = "25P01"


class InFailedSqlTransaction(e.InternalError):
    """SQLSTATE 25P02: in failed sql transaction."""

    __module__ = "greenpg.errors"
    sqlstate = "25P02"


class IdleInTransactionSessionTimeout(e.InternalError):
    """SQLSTATE 25P03: idle in transaction session timeout."""

    __module__ = "greenpg.errors"
    sqlstate = "25P03"


class TransactionTimeout(e.InternalError):
    """SQLSTATE 25P04: transaction timeout."""

    __module__ = "greenpg.errors"
    sqlstate = "25P04"


class InvalidSqlStatementName(e.ProgrammingError):
    """SQLSTATE 26000: invalid sql statement name."""

    __module__ = "greenpg.errors"
    sqlstate = "26000"


class TriggeredDataChangeViolation(e.OperationalError):
    """SQLSTATE 27000: triggered data change violation."""

    __module__ = "greenpg.errors"
    sqlstate = "27000"


class InvalidAuthorizationSpecification(e.OperationalError):
    """SQLSTATE 28000: invalid authorization specification."""

    __module__ = "greenpg.errors"
    sqlstate = "28000"


class InvalidPassword(e.OperationalError):
    """SQLSTATE 28P01: invalid password."""

    __module__ = "greenpg.errors"
    sqlstate = "28P01"


class DependentPrivilegeDescriptorsStillExist(e.InternalError):
    """SQLSTATE 2B000: dependent privilege descriptors still exist."""

    __module__ = "greenpg.errors"
    sqlstate = "2B000"


class DependentObjectsStillExist(e.InternalError):
    """SQLSTATE 2BP01: dependent objects still exist."""

    __module__ = "greenpg.errors"
    sqlstate = "2BP01"


class InvalidTransactionTermination(e.InternalError):
    """SQLSTATE 2D000: invalid transaction termination."""

    __module__ = "greenpg.errors"
    sqlstate = "2D000"


class SqlRoutineException(e.OperationalError):
    """SQLSTATE 2F000: sql routine exception."""

    __module__ = "greenpg.errors"
    sqlstate = "2F000"


class ModifyingSqlDataNotPermitted(e.OperationalError):
    """SQLSTATE 2F002: modifying sql data not permitted."""

    __module__ = "greenpg.errors"
    sqlstate = "2F002"


class ProhibitedSqlStatementAttempted(e.OperationalError):
    """SQLSTATE 2F003: prohibited sql statement attempted."""

    __module__ = "greenpg.errors"
    sqlstate = "2F003"


class ReadingSqlDataNotPermitted(e.OperationalError):
    """SQLSTATE 2F004: reading sql data not permitted."""

    __module__ = "greenpg.errors"
    sqlstate = "2F004"


class FunctionExecutedNoReturnStatement(e.OperationalError):
    """SQLSTATE 2F005: function executed no return statement."""

    __module__ = "greenpg.errors"
    sqlstate = "2F005"


class InvalidCursorName(e.ProgrammingError):
    """SQLSTATE 34000: invalid cursor name."""

    __module__ = "greenpg.errors"
    sqlstate = "34000"


class ExternalRoutineException(e.OperationalError):
    """SQLSTATE 38000: external routine exception."""

    __module__ = "greenpg.errors"
    sqlstate = "38000"


class ContainingSqlNotPermitted(e.OperationalError):
    """SQLSTATE 38001: containing sql not permitted."""

    __module__ = "greenpg.errors"
    sqlstate = "38001"


class ModifyingSqlDataNotPermittedExt(e.OperationalError):
    """SQLSTATE 38002: modifying sql data not permitted."""

    __module__ = "greenpg.errors"
    sqlstate = "38002"


class ProhibitedSqlStatementAttemptedExt(e.OperationalError):
    """SQLSTATE 38003: prohibited sql statement attempted."""

    __module__ = "greenpg.errors"
    sqlstate = "38003"


class ReadingSqlDataNotPermittedExt(e.OperationalError):
    """SQLSTATE 38004: reading sql data not permitted."""

    __module__ = "greenpg.errors"
    sqlstate = "38004"


class ExternalRoutineInvocationException(e.OperationalError):
    """SQLSTATE 39000: external routine invocation exception."""

    __module__ = "greenpg.errors"
    sqlstate = "39000"


class InvalidSqlstateReturned(e.OperationalError):
    """SQLSTATE 39001: invalid sqlstate returned."""

    __module__ = "greenpg.errors"
    sqlstate = "39001"


class NullValueNotAllowedExt(e.OperationalError):
    """SQLSTATE 39004: null value not allowed."""

    __module__ = "greenpg.errors"
    sqlstate = "39004"


class TriggerProtocolViolated(e.OperationalError):
    """SQLSTATE 39P01: trigger protocol violated."""

    __module__ = "greenpg.errors"
    sqlstate = "39P01"


class SrfProtocolViolated(e.OperationalError):
    """SQLSTATE 39P02: srf protocol violated."""

    __module__ = "greenpg.errors"
    sqlstate = "39P02"


class EventTriggerProtocolViolated(e.OperationalError):
    """SQLSTATE 39P03: event trigger protocol violated."""

    __module__ = "greenpg.errors"
    sqlstate = "39P03"


class SavepointException(e.OperationalError):
    """SQLSTATE 3B000: savepoint exception."""

    __module__ = "greenpg.errors"
    sqlstate = "3B000"


class InvalidSavepointSpecification(e.OperationalError):
    """SQLSTATE 3B001: invalid savepoint specification."""

    __module__ = "greenpg.errors"
    sqlstate = "3B001"


class InvalidCatalogName(e.ProgrammingError):
    """SQLSTATE 3D000: invalid catalog name."""

    __module__ = "greenpg.errors"
    sqlstate = "3D000"


class InvalidSchemaName(e.ProgrammingError):
    """SQLSTATE 3F000: invalid schema name."""

    __module__ = "greenpg.errors"
    sqlstate = "3F000"


class TransactionRollback(e.OperationalError):
    """SQLSTATE 40000: transaction rollback."""

    __module__ = "greenpg.errors"
    sqlstate = "40000"


class SerializationFailure(e.OperationalError):
    """SQLSTATE 40001: serialization failure."""

    __module__ = "greenpg.errors"
    sqlstate = "40001"
    safe_to_retry = True


class TransactionIntegrityConstraintViolation(e.OperationalError):
    """SQLSTATE 40002: transaction integrity constraint violation."""

    __module__ = "greenpg.errors"
    sqlstate = "40002"


class StatementCompletionUnknown(e.OperationalError):
    """SQLSTATE 40003: statement completion unknown."""

    __module__ = "greenpg.errors"
    sqlstate = "40003"


class DeadlockDetected(e.OperationalError):
    """SQLSTATE 40P01: deadlock detected."""

    __module__ = "greenpg.errors"
    sqlstate = "40P01"
    safe_to_retry = True


class SyntaxErrorOrAccessRuleViolation(e.ProgrammingError):
    """SQLSTATE 42000: syntax error or access rule violation."""

    __module__ = "greenpg.errors"
    sqlstate = "42000"


class InsufficientPrivilege(e.ProgrammingError):
    """SQLSTATE 42501: insufficient privilege."""

    __module__ = "greenpg.errors"
    sqlstate = "42501"


class SyntaxError(e.ProgrammingError):
    """SQLSTATE 42601: syntax error."""

    __module__ = "greenpg.errors"
    sqlstate = "42601"


class InvalidName(e.ProgrammingError):
    """SQLSTATE 42602: invalid name."""

    __module__ = "greenpg.errors"
    sqlstate = "42602"


class InvalidColumnDefinition(e.ProgrammingError):
    """SQLSTATE 42611: invalid column definition."""

    __module__ = "greenpg.errors"
    sqlstate = "42611"


class NameTooLong(e.ProgrammingError):
    """SQLSTATE 42622: name too long."""

    __module__ = "greenpg.errors"
    sqlstate = "42622"


class DuplicateColumn(e.ProgrammingError):
    """SQLSTATE 42701: duplicate column."""

    __module__ = "greenpg.errors"
    sqlstate = "42701"


class AmbiguousColumn(e.ProgrammingError):
    """SQLSTATE 42702: ambiguous column."""

    __module__ = "greenpg.errors"
    sqlstate = "42702"


class UndefinedColumn(e.ProgrammingError):
    """SQLSTATE 42703: undefined column."""

    __module__ = "greenpg.errors"
    sqlstate = "42703"


class UndefinedObject(e.ProgrammingError):
    """SQLSTATE 42704: undefined object."""

    __module__ = "greenpg.errors"
    sqlstate = "42704"


class DuplicateObject(e.ProgrammingError):
    """SQLSTATE 42710: duplicate object."""

    __module__ = "greenpg.errors"
    sqlstate = "42710"


class DuplicateAlias(e.ProgrammingError):
    """SQLSTATE 42712: duplicate alias."""

    __module__ = "greenpg.errors"
    sqlstate = "42712"


class DuplicateFunction(e.ProgrammingError):
    """SQLSTATE 42723: duplicate function."""

    __module__ = "greenpg.errors"
    sqlstate = "42723"


class AmbiguousFunction(e.ProgrammingError):
    """SQLSTATE 42725: ambiguous function."""

    __module__ = "greenpg.errors"
    sqlstate = "42725"


class GroupingError(e.ProgrammingError):
    """SQLSTATE 42803: grouping error."""

    __module__ = "greenpg.errors"
    sqlstate = "42803"


class DatatypeMismatch(e.ProgrammingError):
    """SQLSTATE 42804: datatype mismatch."""

    __module__ = "greenpg.errors"
    sqlstate = "42804"


class WrongObjectType(e.ProgrammingError):
    """SQLSTATE 42809: wrong object type."""

    __module__ = "greenpg.errors"
    sqlstate = "42809"


class InvalidForeignKey(e.ProgrammingError):
    """SQLSTATE 42830: invalid foreign key."""

    __module__ = "greenpg.errors"
    sqlstate = "42830"


class CannotCoerce(e.ProgrammingError):
    """SQLSTATE 42846: cannot coerce."""

    __module__ = "greenpg.errors"
    sqlstate = "42846"


class UndefinedFunction(e.ProgrammingError):
    """SQLSTATE 42883: undefined function."""

    __module__ = "greenpg.errors"
    sqlstate = "42883"


class GeneratedAlways(e.ProgrammingError):
    """SQLSTATE 428C9: generated always."""

    __module__ = "greenpg.errors"
    sqlstate = "428C9"


class ReservedName(e.ProgrammingError):
    """SQLSTATE 42939: reserved name."""

    __module__ = "greenpg.errors"
    sqlstate = "42939"


class UndefinedTable(e.ProgrammingError):
    """SQLSTATE 42P01: undefined table."""

    __module__ = "greenpg.errors"
    sqlstate = "42P01"


class UndefinedParameter(e.ProgrammingError):
    """SQLSTATE 42P02: undefined parameter."""

    __module__ = "greenpg.errors"
    sqlstate = "42P02"


class DuplicateCursor(e.ProgrammingError):
    """SQLSTATE 42P03: duplicate cursor."""

    __module__ = "greenpg.errors"
    sqlstate = "42P03"


class DuplicateDatabase(e.ProgrammingError):
    """SQLSTATE 42P04: duplicate database."""

    __module__ = "greenpg.errors"
    sqlstate = "42P04"


class DuplicatePreparedStatement(e.ProgrammingError):
    """SQLSTATE 42P05: duplicate prepared statement."""

    __module__ = "greenpg.errors"
    sqlstate = "42P05"


class DuplicateSchema(e.ProgrammingError):
    """SQLSTATE 42P06: duplicate schema."""

    __module__ = "greenpg.errors"
    sqlstate = "42P06"


class DuplicateTable(e.ProgrammingError):
    """SQLSTATE 42P07: duplicate table."""

    __module__ = "greenpg.errors"
    sqlstate = "42P07"


class AmbiguousParameter(e.ProgrammingError):
    """SQLSTATE 42P08: ambiguous parameter."""

    __module__ = "greenpg.errors"
    sqlstate = "42P08"


class AmbiguousAlias(e.ProgrammingError):
    """SQLSTATE 42P09: ambiguous alias."""

    __module__ = "greenpg.errors"
    sqlstate = "42P09"


class InvalidColumnReference(e.ProgrammingError):
    """SQLSTATE 42P10: invalid column reference."""

    __module__ = "greenpg.errors"
    sqlstate = "42P10"


class InvalidCursorDefinition(e.ProgrammingError):
    """SQLSTATE 42P11: invalid cursor definition."""

    __module__ = "greenpg.errors"
    sqlstate = "42P11"


class InvalidDatabaseDefinition(e.ProgrammingError):
    """SQLSTATE 42P12: invalid database definition."""

    __module__ = "greenpg.errors"
    sqlstate = "42P12"


class InvalidFunctionDefinition(e.ProgrammingError):
    """SQLSTATE 42P13: invalid function definition."""

    __module__ = "greenpg.errors"
    sqlstate = "42P13"


class InvalidPreparedStatementDefinition(e.ProgrammingError):
    """SQLSTATE 42P14: invalid prepared statement definition."""

    __module__ = "greenpg.errors"
    sqlstate = "42P14"


class InvalidSchemaDefinition(e.ProgrammingError):
    """SQLSTATE 42P15: invalid schema definition."""

    __module__ = "greenpg.errors"
    sqlstate = "42P15"


class InvalidTableDefinition(e.ProgrammingError):
    """SQLSTATE 42P16: invalid table definition."""

    __module__ = "greenpg.errors"
    sqlstate = "42P16"


class InvalidObjectDefinition(e.ProgrammingError):
    """SQLSTATE 42P17: invalid object definition."""

    __module__ = "greenpg.errors"
    sqlstate = "42P17"


class IndeterminateDatatype(e.ProgrammingError):
    """SQLSTATE 42P18: indeterminate datatype."""

    __module__ = "greenpg.errors"
    sqlstate = "42P18"


class InvalidRecursion(e.ProgrammingError):
    """SQLSTATE 42P19: invalid recursion."""

    __module__ = "greenpg.errors"
    sqlstate = "42P19"


class WindowingError(e.ProgrammingError):
    """SQLSTATE 42P20: windowing error."""

    __module__ = "greenpg.errors"
    sqlstate = "42P20"


class CollationMismatch(e.ProgrammingError):
    """SQLSTATE 42P21: collation mismatch."""

    __module__ = "greenpg.errors"
    sqlstate = "42P21"


class IndeterminateCollation(e.ProgrammingError):
    """SQLSTATE 42P22: indeterminate collation."""

    __module__ = "greenpg.errors"
    sqlstate = "42P22"


class WithCheckOptionViolation(e.ProgrammingError):
    """SQLSTATE 44000: with check option violation."""

    __module__ = "greenpg.errors"
    sqlstate = "44000"


class InsufficientResources(e.OperationalError):
    """SQLSTATE 53000: insufficient resources."""

    __module__ = "greenpg.errors"
    sqlstate = "53000"


class DiskFull(e.OperationalError):
    """SQLSTATE 53100: disk full."""

    __module__ = "greenpg.errors"
    sqlstate = "53100"


class OutOfMemory(e.OperationalError):
    """SQLSTATE 53200: out of memory."""

    __module__ = "greenpg.errors"
    sqlstate = "53200"


class TooManyConnections(e.OperationalError):
    """SQLSTATE 53300: too many connections."""

    __module__ = "greenpg.errors"
    sqlstate = "53300"
    safe_to_retry = True


class ConfigurationLimitExceeded(e.OperationalError):
    """SQLSTATE 53400: configuration limit exceeded."""

    __module__ = "greenpg.errors"
    sqlstate = "53400"


class ProgramLimitExceeded(e.OperationalError):
    """SQLSTATE 54000: program limit exceeded."""

    __module__ = "greenpg.errors"
    sqlstate = "54000"


class StatementTooComplex(e.OperationalError):
    """SQLSTATE 54001: statement too complex."""

    __module__ = "greenpg.errors"
    sqlstate = "54001"


class TooManyColumns(e.OperationalError):
    """SQLSTATE 54011: too many columns."""

    __module__ = "greenpg.errors"
    sqlstate = "54011"


class TooManyArguments(e.OperationalError):
    """SQLSTATE 54023: too many arguments."""

    __module__ = "greenpg.errors"
    sqlstate = "54023"


class ObjectNotInPrerequisiteState(e.OperationalError):
    """SQLSTATE 55000: object not in prerequisite state."""

    __module__ = "greenpg.errors"
    sqlstate = "55000"


class ObjectInUse(e.OperationalError):
    """SQLSTATE 55006: object in use."""

    __module__ = "greenpg.errors"
    sqlstate = "55006"


class CantChangeRuntimeParam(e.OperationalError):
    """SQLSTATE 55P02: cant change runtime param."""

    __module__ = "greenpg.errors"
    sqlstate = "55P02"


class LockNotAvailable(e.OperationalError):
    """SQLSTATE 55P03: lock not available."""

    __module__ = "greenpg.errors"
    sqlstate = "55P03"


class UnsafeNewEnumValueUsage(e.OperationalError):
    """SQLSTATE 55P04: unsafe new enum value usage."""

    __module__ = "greenpg.errors"
    sqlstate = "55P04"


class OperatorIntervention(e.OperationalError):
    """SQLSTATE 57000: operator intervention."""

    __module__ = "greenpg.errors"
    sqlstate = "57000"


class QueryCanceled(e.OperationalError):
    """SQLSTATE 57014: query canceled."""

    __module__ = "greenpg.errors"
    sqlstate = "57014"


class AdminShutdown(e.OperationalError):
    """SQLSTATE 57P01: admin shutdown."""

    __module__ = "greenpg.errors"
    sqlstate = "57P01"


class CrashShutdown(e.OperationalError):
    """SQLSTATE 57P02: crash shutdown."""

    __module__ = "greenpg.errors"
    sqlstate = "57P02"


class CannotConnectNow(e.OperationalError):
    """SQLSTATE 57P03: cannot connect now."""

    __module__ = "greenpg.errors"
    sqlstate = "57P03"
    safe_to_retry = True


class DatabaseDropped(e.OperationalError):
    """SQLSTATE 57P04: database dropped."""

    __module__ = "greenpg.errors"
    sqlstate = "57P04"


class IdleSessionTimeout(e.OperationalError):
    """SQLSTATE 57P05: idle session timeout."""

    __module__ = "greenpg.errors"
    sqlstate = "57P05"


class SystemError(e.OperationalError):
    """SQLSTATE 58000: system error."""

    __module__ = "greenpg.errors"
    sqlstate = "58000"


class IoError(e.OperationalError):
    """SQLSTATE 58030: io error."""

    __module__ = "greenpg.errors"
    sqlstate = "58030"


class UndefinedFile(e.OperationalError):
    """SQLSTATE 58P01: undefined file."""

    __module__ = "greenpg.errors"
    sqlstate = "58P01"


class DuplicateFile(e.OperationalError):
    """SQLSTATE 58P02: duplicate file."""

    __module__ = "greenpg.errors"
    sqlstate = "58P02"


class FileNameTooLong(e.OperationalError):
    """SQLSTATE 58P03: file name too long."""

    __module__ = "greenpg.errors"
    sqlstate = "58P03"


class SnapshotTooOld(e.DatabaseError):
    """SQLSTATE 72000: snapshot too old."""

    __module__ = "greenpg.errors"
    sqlstate = "72000"


class ConfigFileError(e.OperationalError):
    """SQLSTATE F0000: config file error."""

    __module__ = "greenpg.errors"
    sqlstate = "F0000"


class LockFileExists(e.OperationalError):
    """SQLSTATE F0001: lock file exists."""

    __module__ = "greenpg.errors"
    sqlstate = "F0001"


class FdwError(e.OperationalError):
    """SQLSTATE HV000: fdw error."""

    __module__ = "greenpg.errors"
    sqlstate = "HV000"


class FdwOutOfMemory(e.OperationalError):
    """SQLSTATE HV001: fdw out of memory."""

    __module__ = "greenpg.errors"
    sqlstate = "HV001"


class FdwDynamicParameterValueNeeded(e.OperationalError):
    """SQLSTATE HV002: fdw dynamic parameter value needed."""

    __module__ = "greenpg.errors"
    sqlstate = "HV002"


class FdwInvalidDataType(e.OperationalError):
    """SQLSTATE HV004: fdw invalid data type."""

    __module__ = "greenpg.errors"
    sqlstate = "HV004"


class FdwColumnNameNotFound(e.OperationalError):
    """SQLSTATE HV005: fdw column name not found."""

    __module__ = "greenpg.errors"
    sqlstate = "HV005"


class FdwInvalidDataTypeDescriptors(e.OperationalError):
    """SQLSTATE HV006: fdw invalid data type descriptors."""

    __module__ = "greenpg.errors"
    sqlstate = "HV006"


class FdwInvalidColumnName(e.OperationalError):
    """SQLSTATE HV007: fdw invalid column name."""

    __module__ = "greenpg.errors"
    sqlstate = "HV007"


class FdwInvalidColumnNumber(e.OperationalError):
    """SQLSTATE HV008: fdw invalid column number."""

    __module__ = "greenpg.errors"
    sqlstate = "HV008"


class FdwInvalidUseOfNullPointer(e.OperationalError):
    """SQLSTATE HV009: fdw invalid use of null pointer."""

    __module__ = "greenpg.errors"
    sqlstate = "HV009"


class FdwInvalidStringFormat(e.OperationalError):
    """SQLSTATE HV00A: fdw invalid string format."""

    __module__ = "greenpg.errors"
    sqlstate = "HV00A"


class FdwInvalidHandle(e.OperationalError):
    """SQLSTATE HV00B: fdw invalid handle."""

    __module__ = "greenpg.errors"
    sqlstate = "HV00B"


class FdwInvalidOptionIndex(e.OperationalError):
    """SQLSTATE HV00C: fdw invalid option index."""

    __module__ = "greenpg.errors"
    sqlstate = "HV00C"


class FdwInvalidOptionName(e.OperationalError):
    """SQLSTATE HV00D: fdw invalid option name."""

    __module__ = "greenpg.errors"
    sqlstate = "HV00D"


class FdwOptionNameNotFound(e.OperationalError):
    """SQLSTATE HV00J: fdw option name not found."""

    __module__ = "greenpg.errors"
    sqlstate = "HV00J"


class FdwReplyHandle(e.OperationalError):
    """SQLSTATE HV00K: fdw reply handle."""

    __module__ = "greenpg.errors"
    sqlstate = "HV00K"


class FdwUnableToCreateExecution(e.OperationalError):
    """SQLSTATE HV00L: fdw unable to create execution."""

    __module__ = "greenpg.errors"
    sqlstate = "HV00L"


class FdwUnableToCreateReply(e.OperationalError):
    """SQLSTATE HV00M: fdw unable to create reply."""

    __module__ = "greenpg.errors"
    sqlstate = "HV00M"


class FdwUnableToEstablishConnection(e.OperationalError):
    """SQLSTATE HV00N: fdw unable to establish connection."""

    __module__ = "greenpg.errors"
    sqlstate = "HV00N"


class FdwNoSchemas(e.OperationalError):
    """SQLSTATE HV00P: fdw no schemas."""

    __module__ = "greenpg.errors"
    sqlstate = "HV00P"


class FdwSchemaNotFound(e.OperationalError):
    """SQLSTATE HV00Q: fdw schema not found."""

    __module__ = "greenpg.errors"
    sqlstate = "HV00Q"


class FdwTableNotFound(e.OperationalError):
    """SQLSTATE HV00R: fdw table not found."""

    __module__ = "greenpg.errors"
    sqlstate = "HV00R"


class FdwFunctionSequenceError(e.OperationalError):
    """SQLSTATE HV010: fdw function sequence error."""

    __module__ = "greenpg.errors"
    sqlstate = "HV010"


class FdwTooManyHandles(e.OperationalError):
    """SQLSTATE HV014: fdw too many handles."""

    __module__ = "greenpg.errors"
    sqlstate = "HV014"


class FdwInconsistentDescriptorInformation(e.OperationalError):
    """SQLSTATE HV021: fdw inconsistent descriptor information."""

    __module__ = "greenpg.errors"
    sqlstate = "HV021"


class FdwInvalidAttributeValue(e.OperationalError):
    """SQLSTATE HV024: fdw invalid attribute value."""

    __module__ = "greenpg.errors"
    sqlstate = "HV024"


class FdwInvalidStringLengthOrBufferLength(e.OperationalError):
    """SQLSTATE HV090: fdw invalid string length or buffer length."""

    __module__ = "greenpg.errors"
    sqlstate = "HV090"


class FdwInvalidDescriptorFieldIdentifier(e.OperationalError):
    """SQLSTATE HV091: fdw invalid descriptor field identifier."""

    __module__ = "greenpg.errors"
    sqlstate = "HV091"


class PlpgsqlError(e.ProgrammingError):
    """SQLSTATE P0000: plpgsql error."""

    __module__ = "greenpg.errors"
    sqlstate = "P0000"


class RaiseException(e.ProgrammingError):
    """SQLSTATE P0001: raise exception."""

    __module__ = "greenpg.errors"
    sqlstate = "P0001"


class NoDataFound(e.ProgrammingError):
    """SQLSTATE P0002: no data found."""

    __module__ = "greenpg.errors"
    sqlstate = "P0002"


class TooManyRows(e.ProgrammingError):
    """SQLSTATE P0003: too many rows."""

    __module__ = "greenpg.errors"
    sqlstate = "P0003"


class AssertFailure(e.ProgrammingError):
    """SQLSTATE P0004: assert failure."""

    __module__ = "greenpg.errors"
    sqlstate = "P0004"


class InternalError_(e.InternalError):
    """SQLSTATE XX000: internal error."""

    __module__ = "greenpg.errors"
    sqlstate = "XX000"


class DataCorrupted(e.InternalError):
    """SQLSTATE XX001: data corrupted."""

    __module__ = "greenpg.errors"
    sqlstate = "XX001"


class IndexCorrupted(e.InternalError):
    """SQLSTATE XX002: index corrupted."""

    __module__ = "greenpg.errors"
    sqlstate = "XX002"


# SQLSTATE -> class.
CLASSES: dict[str, type[e.DatabaseError]] = {
    "02000": NoData,
    "02001": NoAdditionalDynamicResultSetsReturned,
    "03000": SqlStatementNotYetComplete,
    "08000": ConnectionException,
    "08001": SqlclientUnableToEstablishSqlconnection,
    "08003": ConnectionDoesNotExist,
    "08004": SqlserverRejectedEstablishmentOfSqlconnection,
    "08006": ConnectionFailure,
    "08007": TransactionResolutionUnknown,
    "08P01": ProtocolViolation,
    "09000": TriggeredActionException,
    "0A000": FeatureNotSupported,
    "0B000": InvalidTransactionInitiation,
    "0F000": LocatorException,
    "0F001": InvalidLocatorSpecification,
    "0L000": InvalidGrantor,
    "0LP01": InvalidGrantOperation,
    "0P000": InvalidRoleSpecification,
    "0Z000": DiagnosticsException,
    "0Z002": StackedDiagnosticsAccessedWithoutActiveHandler,
    "10608": InvalidArgumentForXquery,
    "20000": CaseNotFound,
    "21000": CardinalityViolation,
    "22000": DataException,
    "22001": StringDataRightTruncation,
    "22002": NullValueNoIndicatorParameter,
    "22003": NumericValueOutOfRange,
    "22004": NullValueNotAllowed,
    "22005": ErrorInAssignment,
    "22007": InvalidDatetimeFormat,
    "22008": DatetimeFieldOverflow,
    "22009": InvalidTimeZoneDisplacementValue,
    "2200B": EscapeCharacterConflict,
    "2200C": InvalidUseOfEscapeCharacter,
    "2200D": InvalidEscapeOctet,
    "2200F": ZeroLengthCharacterString,
    "2200G": MostSpecificTypeMismatch,
    "2200H": SequenceGeneratorLimitExceeded,
    "2200L": NotAnXmlDocument,
    "2200M": InvalidXmlDocument,
    "2200N": InvalidXmlContent,
    "2200S": InvalidXmlComment,
    "2200T": InvalidXmlProcessingInstruction,
    "22010": InvalidIndicatorParameterValue,
    "22011": SubstringError,
    "22012": DivisionByZero,
    "22013": InvalidPrecedingOrFollowingSize,
    "22014": InvalidArgumentForNtileFunction,
    "22015": IntervalFieldOverflow,
    "22016": InvalidArgumentForNthValueFunction,
    "22018": InvalidCharacterValueForCast,
    "22019": InvalidEscapeCharacter,
    "2201B": InvalidRegularExpression,
    "2201E": InvalidArgumentForLogarithm,
    "2201F": InvalidArgumentForPowerFunction,
    "2201G": InvalidArgumentForWidthBucketFunction,
    "2201W": InvalidRowCountInLimitClause,
    "2201X": InvalidRowCountInResultOffsetClause,
    "22021": CharacterNotInRepertoire,
    "22022": IndicatorOverflow,
    "22023": InvalidParameterValue,
    "22024": UnterminatedCString,
    "22025": InvalidEscapeSequence,
    "22026": StringDataLengthMismatch,
    "22027": TrimError,
    "2202E": ArraySubscriptError,
    "2202G": InvalidTablesampleRepeat,
    "2202H": InvalidTablesampleArgument,
    "22030": DuplicateJsonObjectKeyValue,
    "22031": InvalidArgumentForSqlJsonDatetimeFunction,
    "22032": InvalidJsonText,
    "22033": InvalidSqlJsonSubscript,
    "22034": MoreThanOneSqlJsonItem,
    "22035": NoSqlJsonItem,
    "22036": NonNumericSqlJsonItem,
    "22037": NonUniqueKeysInAJsonObject,
    "22038": SingletonSqlJsonItemRequired,
    "22039": SqlJsonArrayNotFound,
    "2203A": SqlJsonMemberNotFound,
    "2203B": SqlJsonNumberNotFound,
    "2203C": SqlJsonObjectNotFound,
    "2203D": TooManyJsonArrayElements,
    "2203E": TooManyJsonObjectMembers,
    "2203F": SqlJsonScalarRequired,
    "2203G": SqlJsonItemCannotBeCastToTargetType,
    "22P01": FloatingPointException,
    "22P02": InvalidTextRepresentation,
    "22P03": InvalidBinaryRepresentation,
    "22P04": BadCopyFileFormat,
    "22P05": UntranslatableCharacter,
    "22P06": NonstandardUseOfEscapeCharacter,
    "23000": IntegrityConstraintViolation,
    "23001": RestrictViolation,
    "23502": NotNullViolation,
    "23503": ForeignKeyViolation,
    "23505": UniqueViolation,
    "23514": CheckViolation,
    "23P01": ExclusionViolation,
    "24000": InvalidCursorState,
    "25000": InvalidTransactionState,
    "25001": ActiveSqlTransaction,
    "25002": BranchTransactionAlreadyActive,
    "25003": InappropriateAccessModeForBranchTransaction,
    "25004": InappropriateIsolationLevelForBranchTransaction,
    "25005": NoActiveSqlTransactionForBranchTransaction,
    "25006": ReadOnlySqlTransaction,
    "25007": SchemaAndDataStatementMixingNotSupported,
    "25008": HeldCursorRequiresSameIsolationLevel,
    "25P01": NoActiveSqlTransaction,
    "25P02": InFailedSqlTransaction,
    "25P03": IdleInTransactionSessionTimeout,
    "25P04": TransactionTimeout,
    "26000": InvalidSqlStatementName,
    "27000": TriggeredDataChangeViolation,
    "28000": InvalidAuthorizationSpecification,
    "28P01": InvalidPassword,
    "2B000": DependentPrivilegeDescriptorsStillExist,
    "2BP01": DependentObjectsStillExist,
    "2D000": InvalidTransactionTermination,
    "2F000": SqlRoutineException,
    "2F002": ModifyingSqlDataNotPermitted,
    "2F003": ProhibitedSqlStatementAttempted,
    "2F004": ReadingSqlDataNotPermitted,
    "2F005": FunctionExecutedNoReturnStatement,
    "34000": InvalidCursorName,
    "38000": ExternalRoutineException,
    "38001": ContainingSqlNotPermitted,
    "38002": ModifyingSqlDataNotPermittedExt,
    "38003": ProhibitedSqlStatementAttemptedExt,
    "38004": ReadingSqlDataNotPermittedExt,
    "39000": ExternalRoutineInvocationException,
    "39001": InvalidSqlstateReturned,
    "39004": NullValueNotAllowedExt,
    "39P01": TriggerProtocolViolated,
    "39P02": SrfProtocolViolated,
    "39P03": EventTriggerProtocolViolated,
    "3B000": SavepointException,
    "3B001": InvalidSavepointSpecification,
    "3D000": InvalidCatalogName,
    "3F000": InvalidSchemaName,
    "40000": TransactionRollback,
    "40001": SerializationFailure,
    "40002": TransactionIntegrityConstraintViolation,
    "40003": StatementCompletionUnknown,
    "40P01": DeadlockDetected,
    "42000": SyntaxErrorOrAccessRuleViolation,
    "42501": InsufficientPrivilege,
    "42601": SyntaxError,
    "42602": InvalidName,
    "42611": InvalidColumnDefinition,
    "42622": NameTooLong,
    "42701": DuplicateColumn,
    "42702": AmbiguousColumn,
    "42703": UndefinedColumn,
    "42704": UndefinedObject,
    "42710": DuplicateObject,
    "42712": DuplicateAlias,
    "42723": DuplicateFunction,
    "42725": AmbiguousFunction,
    "42803": GroupingError,
    "42804": DatatypeMismatch,
    "42809": WrongObjectType,
    "42830": InvalidForeignKey,
    "42846": CannotCoerce,
    "42883": UndefinedFunction,
    "428C9": GeneratedAlways,
    "42939": ReservedName,
    "42P01": UndefinedTable,
    "42P02": UndefinedParameter,
    "42P03": DuplicateCursor,
    "42P04": DuplicateDatabase,
    "42P05": DuplicatePreparedStatement,
    "42P06": DuplicateSchema,
    "42P07": DuplicateTable,
    "42P08": AmbiguousParameter,
    "42P09": AmbiguousAlias,
    "42P10": InvalidColumnReference,
    "42P11": InvalidCursorDefinition,
    "42P12": InvalidDatabaseDefinition,
    "42P13": InvalidFunctionDefinition,
    "42P14": InvalidPreparedStatementDefinition,
    "42P15": InvalidSchemaDefinition,
    "42P16": InvalidTableDefinition,
    "42P17": InvalidObjectDefinition,
    "42P18": IndeterminateDatatype,
    "42P19": InvalidRecursion,
    "42P20": WindowingError,
    "42P21": CollationMismatch,
    "42P22": IndeterminateCollation,
    "44000": WithCheckOptionViolation,
    "53000": InsufficientResources,
    "53100": DiskFull,
    "53200": OutOfMemory,
    "53300": TooManyConnections,
    "53400": ConfigurationLimitExceeded,
    "54000": ProgramLimitExceeded,
    "54001": StatementTooComplex,
    "54011": TooManyColumns,
    "54023": TooManyArguments,
    "55000": ObjectNotInPrerequisiteState,
    "55006": ObjectInUse,
    "55P02": CantChangeRuntimeParam,
    "55P03": LockNotAvailable,
    "55P04": UnsafeNewEnumValueUsage,
    "57000": OperatorIntervention,
    "57014": QueryCanceled,
    "57P01": AdminShutdown,
    "57P02": CrashShutdown,
    "57P03": CannotConnectNow,
    "57P04": DatabaseDropped,
    "57P05": IdleSessionTimeout,
    "58000": SystemError,
    "58030": IoError,
    "58P01": UndefinedFile,
    "58P02": DuplicateFile,
    "58P03": FileNameTooLong,
    "72000": SnapshotTooOld,
    "F0000": ConfigFileError,
    "F0001": LockFileExists,
    "HV000": FdwError,
    "HV001": FdwOutOfMemory,
    "HV002": FdwDynamicParameterValueNeeded,
    "HV004": FdwInvalidDataType,
    "HV005": FdwColumnNameNotFound,
    "HV006": FdwInvalidDataTypeDescriptors,
    "HV007": FdwInvalidColumnName,
    "HV008": FdwInvalidColumnNumber,
    "HV009": FdwInvalidUseOfNullPointer,
    "HV00A": FdwInvalidStringFormat,
    "HV00B": FdwInvalidHandle,
    "HV00C": FdwInvalidOptionIndex,
    "HV00D": FdwInvalidOptionName,
    "HV00J": FdwOptionNameNotFound,
    "HV00K": FdwReplyHandle,
    "HV00L": FdwUnableToCreateExecution,
    "HV00M": FdwUnableToCreateReply,
    "HV00N": FdwUnableToEstablishConnection,
    "HV00P": FdwNoSchemas,
    "HV00Q": FdwSchemaNotFound,
    "HV00R": FdwTableNotFound,
    "HV010": FdwFunctionSequenceError,
    "HV014": FdwTooManyHandles,
    "HV021": FdwInconsistentDescriptorInformation,
    "HV024": FdwInvalidAttributeValue,
    "HV090": FdwInvalidStringLengthOrBufferLength,
    "HV091": FdwInvalidDescriptorFieldIdentifier,
    "P0000": PlpgsqlError,
    "P0001": RaiseException,
    "P0002": NoDataFound,
    "P0003": TooManyRows,
    "P0004": AssertFailure,
    "XX000": InternalError_,
    "XX001": DataCorrupted,
    "XX002": IndexCorrupted,
}

# PostgreSQL's name of an error -> SQLSTATE; of two with one name the first.
NAMES = {
    "NO_DATA": "02000",
    "NO_ADDITIONAL_DYNAMIC_RESULT_SETS_RETURNED": "02001",
    "SQL_STATEMENT_NOT_YET_COMPLETE": "03000",
    "CONNECTION_EXCEPTION": "08000",
    "SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION": "08001",
    "CONNECTION_DOES_NOT_EXIST": "08003",
    "SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION": "08004",
    "CONNECTION_FAILURE": "08006",
    "TRANSACTION_RESOLUTION_UNKNOWN": "08007",
    "PROTOCOL_VIOLATION": "08P01",
    "TRIGGERED_ACTION_EXCEPTION": "09000",
    "FEATURE_NOT_SUPPORTED": "0A000",
    "INVALID_TRANSACTION_INITIATION": "0B000",
    "LOCATOR_EXCEPTION": "0F000",
    "INVALID_LOCATOR_SPECIFICATION": "0F001",
    "INVALID_GRANTOR": "0L000",
    "INVALID_GRANT_OPERATION": "0LP01",
    "INVALID_ROLE_SPECIFICATION": "0P000",
    "DIAGNOSTICS_EXCEPTION": "0Z000",
    "STACKED_DIAGNOSTICS_ACCESSED_WITHOUT_ACTIVE_HANDLER": "0Z002",
    "INVALID_ARGUMENT_FOR_XQUERY": "10608",
    "CASE_NOT_FOUND": "20000",
    "CARDINALITY_VIOLATION": "21000",
    "DATA_EXCEPTION": "22000",
    "STRING_DATA_RIGHT_TRUNCATION": "22001",
    "NULL_VALUE_NO_INDICATOR_PARAMETER": "22002",
    "NUMERIC_VALUE_OUT_OF_RANGE": "22003",
    "NULL_VALUE_NOT_ALLOWED": "22004",
    "ERROR_IN_ASSIGNMENT": "22005",
    "INVALID_DATETIME_FORMAT": "22007",
    "DATETIME_FIELD_OVERFLOW": "22008",
    "INVALID_TIME_ZONE_DISPLACEMENT_VALUE": "22009",
    "ESCAPE_CHARACTER_CONFLICT": "2200B",
    "INVALID_USE_OF_ESCAPE_CHARACTER": "2200C",
    "INVALID_ESCAPE_OCTET": "2200D",
    "ZERO_LENGTH_CHARACTER_STRING": "2200F",
    "MOST_SPECIFIC_TYPE_MISMATCH": "2200G",
    "SEQUENCE_GENERATOR_LIMIT_EXCEEDED": "2200H",
    "NOT_AN_XML_DOCUMENT": "2200L",
    "INVALID_XML_DOCUMENT": "2200M",
    "INVALID_XML_CONTENT": "2200N",
    "INVALID_XML_COMMENT": "2200S",
    "INVALID_XML_PROCESSING_INSTRUCTION": "2200T",
    "INVALID_INDICATOR_PARAMETER_VALUE": "22010",
    "SUBSTRING_ERROR": "22011",
    "DIVISION_BY_ZERO": "22012",
    "INVALID_PRECEDING_OR_FOLLOWING_SIZE": "22013",
    "INVALID_ARGUMENT_FOR_NTILE_FUNCTION": "22014",
    "INTERVAL_FIELD_OVERFLOW": "22015",
    "INVALID_ARGUMENT_FOR_NTH_VALUE_FUNCTION": "22016",
    "INVALID_CHARACTER_VALUE_FOR_CAST": "22018",
    "INVALID_ESCAPE_CHARACTER": "22019",
    "INVALID_REGULAR_EXPRESSION": "2201B",
    "INVALID_ARGUMENT_FOR_LOGARITHM": "2201E",
    "INVALID_ARGUMENT_FOR_POWER_FUNCTION": "2201F",
    "INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION": "2201G",
    "INVALID_ROW_COUNT_IN_LIMIT_CLAUSE": "2201W",
    "INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE": "2201X",
    "CHARACTER_NOT_IN_REPERTOIRE": "22021",
    "INDICATOR_OVERFLOW": "22022",
    "INVALID_PARAMETER_VALUE": "22023",
    "UNTERMINATED_C_STRING": "22024",
    "INVALID_ESCAPE_SEQUENCE": "22025",
    "STRING_DATA_LENGTH_MISMATCH": "22026",
    "TRIM_ERROR": "22027",
    "ARRAY_SUBSCRIPT_ERROR": "2202E",
    "INVALID_TABLESAMPLE_REPEAT": "2202G",
    "INVALID_TABLESAMPLE_ARGUMENT": "2202H",
    "DUPLICATE_JSON_OBJECT_KEY_VALUE": "22030",
    "INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION": "22031",
    "INVALID_JSON_TEXT": "22032",
    "INVALID_SQL_JSON_SUBSCRIPT": "22033",
    "MORE_THAN_ONE_SQL_JSON_ITEM": "22034",
    "NO_SQL_JSON_ITEM": "22035",
    "NON_NUMERIC_SQL_JSON_ITEM": "22036",
    "NON_UNIQUE_KEYS_IN_A_JSON_OBJECT": "22037",
    "SINGLETON_SQL_JSON_ITEM_REQUIRED": "22038",
    "SQL_JSON_ARRAY_NOT_FOUND": "22039",
    "SQL_JSON_MEMBER_NOT_FOUND": "2203A",
    "SQL_JSON_NUMBER_NOT_FOUND": "2203B",
    "SQL_JSON_OBJECT_NOT_FOUND": "2203C",
    "TOO_MANY_JSON_ARRAY_ELEMENTS": "2203D",
    "TOO_MANY_JSON_OBJECT_MEMBERS": "2203E",
    "SQL_JSON_SCALAR_REQUIRED": "2203F",
    "SQL_JSON_ITEM_CANNOT_BE_CAST_TO_TARGET_TYPE": "2203G",
    "FLOATING_POINT_EXCEPTION": "22P01",
    "INVALID_TEXT_REPRESENTATION": "22P02",
    "INVALID_BINARY_REPRESENTATION": "22P03",
    "BAD_COPY_FILE_FORMAT": "22P04",
    "UNTRANSLATABLE_CHARACTER": "22P05",
    "NONSTANDARD_USE_OF_ESCAPE_CHARACTER": "22P06",
    "INTEGRITY_CONSTRAINT_VIOLATION": "23000",
    "RESTRICT_VIOLATION": "23001",
    "NOT_NULL_VIOLATION": "23502",
    "FOREIGN_KEY_VIOLATION": "23503",
    "UNIQUE_VIOLATION": "23505",
    "CHECK_VIOLATION": "23514",
    "EXCLUSION_VIOLATION": "23P01",
    "INVALID_CURSOR_STATE": "24000",
    "INVALID_TRANSACTION_STATE": "25000",
    "ACTIVE_SQL_TRANSACTION": "25001",
    "BRANCH_TRANSACTION_ALREADY_ACTIVE": "25002",
    "INAPPROPRIATE_ACCESS_MODE_FOR_BRANCH_TRANSACTION": "25003",
    "INAPPROPRIATE_ISOLATION_LEVEL_FOR_BRANCH_TRANSACTION": "25004",
    "NO_ACTIVE_SQL_TRANSACTION_FOR_BRANCH_TRANSACTION": "25005",
    "READ_ONLY_SQL_TRANSACTION": "25006",
    "SCHEMA_AND_DATA_STATEMENT_MIXING_NOT_SUPPORTED": "25007",
    "HELD_CURSOR_REQUIRES_SAME_ISOLATION_LEVEL": "25008",
    "NO_ACTIVE_SQL_TRANSACTION": "25P01",
    "IN_FAILED_SQL_TRANSACTION": "25P02",
    "IDLE_IN_TRANSACTION_SESSION_TIMEOUT": "25P03",
    "TRANSACTION_TIMEOUT": "25P04",
    "INVALID_SQL_STATEMENT_NAME": "26000",
    "TRIGGERED_DATA_CHANGE_VIOLATION": "27000",
    "INVALID_AUTHORIZATION_SPECIFICATION": "28000",
    "INVALID_PASSWORD": "28P01",
    "DEPENDENT_PRIVILEGE_DESCRIPTORS_STILL_EXIST": "2B000",
    "DEPENDENT_OBJECTS_STILL_EXIST": "2BP01",
    "INVALID_TRANSACTION_TERMINATION": "2D000",
    "SQL_ROUTINE_EXCEPTION": "2F000",
    "MODIFYING_SQL_DATA_NOT_PERMITTED": "2F002",
    "PROHIBITED_SQL_STATEMENT_ATTEMPTED": "2F003",
    "READING_SQL_DATA_NOT_PERMITTED": "2F004",
    "FUNCTION_EXECUTED_NO_RETURN_STATEMENT": "2F005",
    "INVALID_CURSOR_NAME": "34000",
    "EXTERNAL_ROUTINE_EXCEPTION": "38000",
    "CONTAINING_SQL_NOT_PERMITTED": "38001",
    "EXTERNAL_ROUTINE_INVOCATION_EXCEPTION": "39000",
    "INVALID_SQLSTATE_RETURNED": "39001",
    "TRIGGER_PROTOCOL_VIOLATED": "39P01",
    "SRF_PROTOCOL_VIOLATED": "39P02",
    "EVENT_TRIGGER_PROTOCOL_VIOLATED": "39P03",
    "SAVEPOINT_EXCEPTION": "3B000",
    "INVALID_SAVEPOINT_SPECIFICATION": "3B001",
    "INVALID_CATALOG_NAME": "3D000",
    "INVALID_SCHEMA_NAME": "3F000",
    "TRANSACTION_ROLLBACK": "40000",
    "SERIALIZATION_FAILURE": "40001",
    "TRANSACTION_INTEGRITY_CONSTRAINT_VIOLATION": "40002",
    "STATEMENT_COMPLETION_UNKNOWN": "40003",
    "DEADLOCK_DETECTED": "40P01",
    "SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION": "42000",
    "INSUFFICIENT_PRIVILEGE": "42501",
    "SYNTAX_ERROR": "42601",
    "INVALID_NAME": "42602",
    "INVALID_COLUMN_DEFINITION": "42611",
    "NAME_TOO_LONG": "42622",
    "DUPLICATE_COLUMN": "42701",
    "AMBIGUOUS_COLUMN": "42702",
    "UNDEFINED_COLUMN": "42703",
    "UNDEFINED_OBJECT": "42704",
    "DUPLICATE_OBJECT": "42710",
    "DUPLICATE_ALIAS": "42712",
    "DUPLICATE_FUNCTION": "42723",
    "AMBIGUOUS_FUNCTION": "42725",
    "GROUPING_ERROR": "42803",
    "DATATYPE_MISMATCH": "42804",
    "WRONG_OBJECT_TYPE": "42809",
    "INVALID_FOREIGN_KEY": "42830",
    "CANNOT_COERCE": "42846",
    "UNDEFINED_FUNCTION": "42883",
    "GENERATED_ALWAYS": "428C9",
    "RESERVED_NAME": "42939",
    "UNDEFINED_TABLE": "42P01",
    "UNDEFINED_PARAMETER": "42P02",
    "DUPLICATE_CURSOR": "42P03",
    "DUPLICATE_DATABASE": "42P04",
    "DUPLICATE_PREPARED_STATEMENT": "42P05",
    "DUPLICATE_SCHEMA": "42P06",
    "DUPLICATE_TABLE": "42P07",
    "AMBIGUOUS_PARAMETER": "42P08",
    "AMBIGUOUS_ALIAS": "42P09",
    "INVALID_COLUMN_REFERENCE": "42P10",
    "INVALID_CURSOR_DEFINITION": "42P11",
    "INVALID_DATABASE_DEFINITION": "42P12",
    "INVALID_FUNCTION_DEFINITION": "42P13",
    "INVALID_PREPARED_STATEMENT_DEFINITION": "42P14",
    "INVALID_SCHEMA_DEFINITION": "42P15",
    "INVALID_TABLE_DEFINITION": "42P16",
    "INVALID_OBJECT_DEFINITION": "42P17",
    "INDETERMINATE_DATATYPE": "42P18",
    "INVALID_RECURSION": "42P19",
    "WINDOWING_ERROR": "42P20",
    "COLLATION_MISMATCH": "42P21",
    "INDETERMINATE_COLLATION": "42P22",
    "WITH_CHECK_OPTION_VIOLATION": "44000",
    "INSUFFICIENT_RESOURCES": "53000",
    "DISK_FULL": "53100",
    "OUT_OF_MEMORY": "53200",
    "TOO_MANY_CONNECTIONS": "53300",
    "CONFIGURATION_LIMIT_EXCEEDED": "53400",
    "PROGRAM_LIMIT_EXCEEDED": "54000",
    "STATEMENT_TOO_COMPLEX": "54001",
    "TOO_MANY_COLUMNS": "54011",
    "TOO_MANY_ARGUMENTS": "54023",
    "OBJECT_NOT_IN_PREREQUISITE_STATE": "55000",
    "OBJECT_IN_USE": "55006",
    "CANT_CHANGE_RUNTIME_PARAM": "55P02",
    "LOCK_NOT_AVAILABLE": "55P03",
    "UNSAFE_NEW_ENUM_VALUE_USAGE": "55P04",
    "OPERATOR_INTERVENTION": "57000",
    "QUERY_CANCELED": "57014",
    "ADMIN_SHUTDOWN": "57P01",
    "CRASH_SHUTDOWN": "57P02",
    "CANNOT_CONNECT_NOW": "57P03",
    "DATABASE_DROPPED": "57P04",
    "IDLE_SESSION_TIMEOUT": "57P05",
    "SYSTEM_ERROR": "58000",
    "IO_ERROR": "58030",
    "UNDEFINED_FILE": "58P01",
    "DUPLICATE_FILE": "58P02",
    "FILE_NAME_TOO_LONG": "58P03",
    "SNAPSHOT_TOO_OLD": "72000",
    "CONFIG_FILE_ERROR": "F0000",
    "LOCK_FILE_EXISTS": "F0001",
    "FDW_ERROR": "HV000",
    "FDW_OUT_OF_MEMORY": "HV001",
    "FDW_DYNAMIC_PARAMETER_VALUE_NEEDED": "HV002",
    "FDW_INVALID_DATA_TYPE": "HV004",
    "FDW_COLUMN_NAME_NOT_FOUND": "HV005",
    "FDW_INVALID_DATA_TYPE_DESCRIPTORS": "HV006",
    "FDW_INVALID_COLUMN_NAME": "HV007",
    "FDW_INVALID_COLUMN_NUMBER": "HV008",
    "FDW_INVALID_USE_OF_NULL_POINTER": "HV009",
    "FDW_INVALID_STRING_FORMAT": "HV00A",
    "FDW_INVALID_HANDLE": "HV00B",
    "FDW_INVALID_OPTION_INDEX": "HV00C",
    "FDW_INVALID_OPTION_NAME": "HV00D",
    "FDW_OPTION_NAME_NOT_FOUND": "HV00J",
    "FDW_REPLY_HANDLE": "HV00K",
    "FDW_UNABLE_TO_CREATE_EXECUTION": "HV00L",
    "FDW_UNABLE_TO_CREATE_REPLY": "HV00M",
    "FDW_UNABLE_TO_ESTABLISH_CONNECTION": "HV00N",
    "FDW_NO_SCHEMAS": "HV00P",
    "FDW_SCHEMA_NOT_FOUND": "HV00Q",
    "FDW_TABLE_NOT_FOUND": "HV00R",
    "FDW_FUNCTION_SEQUENCE_ERROR": "HV010",
    "FDW_TOO_MANY_HANDLES": "HV014",
    "FDW_INCONSISTENT_DESCRIPTOR_INFORMATION": "HV021",
    "FDW_INVALID_ATTRIBUTE_VALUE": "HV024",
    "FDW_INVALID_STRING_LENGTH_OR_BUFFER_LENGTH": "HV090",
    "FDW_INVALID_DESCRIPTOR_FIELD_IDENTIFIER": "HV091",
    "PLPGSQL_ERROR": "P0000",
    "RAISE_EXCEPTION": "P0001",
    "NO_DATA_FOUND": "P0002",
    "TOO_MANY_ROWS": "P0003",
    "ASSERT_FAILURE": "P0004",
    "INTERNAL_ERROR": "XX000",
    "DATA_CORRUPTED": "XX001",
    "INDEX_CORRUPTED": "XX002",
}

# The kind of error, the first one or two letters, -> class.
BASES: dict[str, type[e.DatabaseError]] = {
    "08": e.OperationalError,
    "0A": e.NotSupportedError,
    "10": e.ProgrammingError,
    "20": e.ProgrammingError,
    "21": e.ProgrammingError,
    "22": e.DataError,
    "23": e.IntegrityError,
    "24": e.InternalError,
    "25": e.InternalError,
    "26": e.ProgrammingError,
    "27": e.OperationalError,
    "28": e.OperationalError,
    "2B": e.InternalError,
    "2D": e.InternalError,
    "2F": e.OperationalError,
    "34": e.ProgrammingError,
    "38": e.OperationalError,
    "39": e.OperationalError,
    "3B": e.OperationalError,
    "3D": e.ProgrammingError,
    "3F": e.ProgrammingError,
    "40": e.OperationalError,
    "42": e.ProgrammingError,
    "44": e.ProgrammingError,
    "53": e.OperationalError,
    "54": e.OperationalError,
    "55": e.OperationalError,
    "57": e.OperationalError,
    "58": e.OperationalError,
    "F": e.OperationalError,
    "H": e.OperationalError,
    "P": e.ProgrammingError,
    "X": e.InternalError,
}

__all__ = [
    "ActiveSqlTransaction",
    "AdminShutdown",
    "AmbiguousAlias",
    "AmbiguousColumn",
    "AmbiguousFunction",
    "AmbiguousParameter",
    "ArraySubscriptError",
    "AssertFailure",
    "BadCopyFileFormat",
    "BranchTransactionAlreadyActive",
    "CannotCoerce",
    "CannotConnectNow",
    "CantChangeRuntimeParam",
    "CardinalityViolation",
    "CaseNotFound",
    "CharacterNotInRepertoire",
    "CheckViolation",
    "CollationMismatch",
    "ConfigFileError",
    "ConfigurationLimitExceeded",
    "ConnectionDoesNotExist",
    "ConnectionException",
    "ConnectionFailure",
    "ContainingSqlNotPermitted",
    "CrashShutdown",
    "DataCorrupted",
    "DataException",
    "DatabaseDropped",
    "DatatypeMismatch",
    "DatetimeFieldOverflow",
    "DeadlockDetected",
    "DependentObjectsStillExist",
    "DependentPrivilegeDescriptorsStillExist",
    "DiagnosticsException",
    "DiskFull",
    "DivisionByZero",
    "DuplicateAlias",
    "DuplicateColumn",
    "DuplicateCursor",
    "DuplicateDatabase",
    "DuplicateFile",
    "DuplicateFunction",
    "DuplicateJsonObjectKeyValue",
    "DuplicateObject",
    "DuplicatePreparedStatement",
    "DuplicateSchema",
    "DuplicateTable",
    "ErrorInAssignment",
    "EscapeCharacterConflict",
    "EventTriggerProtocolViolated",
    "ExclusionViolation",
    "ExternalRoutineException",
    "ExternalRoutineInvocationException",
    "FdwColumnNameNotFound",
    "FdwDynamicParameterValueNeeded",
    "FdwError",
    "FdwFunctionSequenceError",
    "FdwInconsistentDescriptorInformation",
    "FdwInvalidAttributeValue",
    "FdwInvalidColumnName",
    "FdwInvalidColumnNumber",
    "FdwInvalidDataType",
    "FdwInvalidDataTypeDescriptors",
    "FdwInvalidDescriptorFieldIdentifier",
    "FdwInvalidHandle",
    "FdwInvalidOptionIndex",
    "FdwInvalidOptionName",
    "FdwInvalidStringFormat",
    "FdwInvalidStringLengthOrBufferLength",
    "FdwInvalidUseOfNullPointer",
    "FdwNoSchemas",
    "FdwOptionNameNotFound",
    "FdwOutOfMemory",
    "FdwReplyHandle",
    "FdwSchemaNotFound",
    "FdwTableNotFound",
    "FdwTooManyHandles",
    "FdwUnableToCreateExecution",
    "FdwUnableToCreateReply",
    "FdwUnableToEstablishConnection",
    "FeatureNotSupported",
    "FileNameTooLong",
    "FloatingPointException",
    "ForeignKeyViolation",
    "FunctionExecutedNoReturnStatement",
    "GeneratedAlways",
    "GroupingError",
    "HeldCursorRequiresSameIsolationLevel",
    "IdleInTransactionSessionTimeout",
    "IdleSessionTimeout",
    "InFailedSqlTransaction",
    "InappropriateAccessModeForBranchTransaction",
    "InappropriateIsolationLevelForBranchTransaction",
    "IndeterminateCollation",
    "IndeterminateDatatype",
    "IndexCorrupted",
    "IndicatorOverflow",
    "InsufficientPrivilege",
    "InsufficientResources",
    "IntegrityConstraintViolation",
    "InternalError_",
    "IntervalFieldOverflow",
    "InvalidArgumentForLogarithm",
    "InvalidArgumentForNthValueFunction",
    "InvalidArgumentForNtileFunction",
    "InvalidArgumentForPowerFunction",
    "InvalidArgumentForSqlJsonDatetimeFunction",
    "InvalidArgumentForWidthBucketFunction",
    "InvalidArgumentForXquery",
    "InvalidAuthorizationSpecification",
    "InvalidBinaryRepresentation",
    "InvalidCatalogName",
    "InvalidCharacterValueForCast",
    "InvalidColumnDefinition",
    "InvalidColumnReference",
    "InvalidCursorDefinition",
    "InvalidCursorName",
    "InvalidCursorState",
    "InvalidDatabaseDefinition",
    "InvalidDatetimeFormat",
    "InvalidEscapeCharacter",
    "InvalidEscapeOctet",
    "InvalidEscapeSequence",
    "InvalidForeignKey",
    "InvalidFunctionDefinition",
    "InvalidGrantOperation",
    "InvalidGrantor",
    "InvalidIndicatorParameterValue",
    "InvalidJsonText",
    "InvalidLocatorSpecification",
    "InvalidName",
    "InvalidObjectDefinition",
    "InvalidParameterValue",
    "InvalidPassword",
    "InvalidPrecedingOrFollowingSize",
    "InvalidPreparedStatementDefinition",
    "InvalidRecursion",
    "InvalidRegularExpression",
    "InvalidRoleSpecification",
    "InvalidRowCountInLimitClause",
    "InvalidRowCountInResultOffsetClause",
    "InvalidSavepointSpecification",
    "InvalidSchemaDefinition",
    "InvalidSchemaName",
    "InvalidSqlJsonSubscript",
    "InvalidSqlStatementName",
    "InvalidSqlstateReturned",
    "InvalidTableDefinition",
    "InvalidTablesampleArgument",
    "InvalidTablesampleRepeat",
    "InvalidTextRepresentation",
    "InvalidTimeZoneDisplacementValue",
    "InvalidTransactionInitiation",
    "InvalidTransactionState",
    "InvalidTransactionTermination",
    "InvalidUseOfEscapeCharacter",
    "InvalidXmlComment",
    "InvalidXmlContent",
    "InvalidXmlDocument",
    "InvalidXmlProcessingInstruction",
    "IoError",
    "LocatorException",
    "LockFileExists",
    "LockNotAvailable",
    "ModifyingSqlDataNotPermitted",
    "ModifyingSqlDataNotPermittedExt",
    "MoreThanOneSqlJsonItem",
    "MostSpecificTypeMismatch",
    "NameTooLong",
    "NoActiveSqlTransaction",
    "NoActiveSqlTransactionForBranchTransaction",
    "NoAdditionalDynamicResultSetsReturned",
    "NoData",
    "NoDataFound",
    "NoSqlJsonItem",
    "NonNumericSqlJsonItem",
    "NonUniqueKeysInAJsonObject",
    "NonstandardUseOfEscapeCharacter",
    "NotAnXmlDocument",
    "NotNullViolation",
    "NullValueNoIndicatorParameter",
    "NullValueNotAllowed",
    "NullValueNotAllowedExt",
    "NumericValueOutOfRange",
    "ObjectInUse",
    "ObjectNotInPrerequisiteState",
    "OperatorIntervention",
    "OutOfMemory",
    "PlpgsqlError",
    "ProgramLimitExceeded",
    "ProhibitedSqlStatementAttempted",
    "ProhibitedSqlStatementAttemptedExt",
    "ProtocolViolation",
    "QueryCanceled",
    "RaiseException",
    "ReadOnlySqlTransaction",
    "ReadingSqlDataNotPermitted",
    "ReadingSqlDataNotPermittedExt",
    "ReservedName",
    "RestrictViolation",
    "SavepointException",
    "SchemaAndDataStatementMixingNotSupported",
    "SequenceGeneratorLimitExceeded",
    "SerializationFailure",
    "SingletonSqlJsonItemRequired",
    "SnapshotTooOld",
    "SqlJsonArrayNotFound",
    "SqlJsonItemCannotBeCastToTargetType",
    "SqlJsonMemberNotFound",
    "SqlJsonNumberNotFound",
    "SqlJsonObjectNotFound",
    "SqlJsonScalarRequired",
    "SqlRoutineException",
    "SqlStatementNotYetComplete",
    "SqlclientUnableToEstablishSqlconnection",
    "SqlserverRejectedEstablishmentOfSqlconnection",
    "SrfProtocolViolated",
    "StackedDiagnosticsAccessedWithoutActiveHandler",
    "StatementCompletionUnknown",
    "StatementTooComplex",
    "StringDataLengthMismatch",
    "StringDataRightTruncation",
    "SubstringError",
    "SyntaxError",
    "SyntaxErrorOrAccessRuleViolation",
    "SystemError",
    "TooManyArguments",
    "TooManyColumns",
    "TooManyConnections",
    "TooManyJsonArrayElements",
    "TooManyJsonObjectMembers",
    "TooManyRows",
    "TransactionIntegrityConstraintViolation",
    "TransactionResolutionUnknown",
    "TransactionRollback",
    "TransactionTimeout",
    "TriggerProtocolViolated",
    "TriggeredActionException",
    "TriggeredDataChangeViolation",
    "TrimError",
    "UndefinedColumn",
    "UndefinedFile",
    "UndefinedFunction",
    "UndefinedObject",
    "UndefinedParameter",
    "UndefinedTable",
    "UniqueViolation",
    "UnsafeNewEnumValueUsage",
    "UnterminatedCString",
    "UntranslatableCharacter",
    "WindowingError",
    "WithCheckOptionViolation",
    "WrongObjectType",
    "ZeroLengthCharacterString",
]
