import CNNRT
import NNGraph

/// What came of a call. Numbers never change; new ones take free places in their group, so treat a number you do not know
/// as a failure. The words are in `nnrt_error_message`.
@c public enum nnrt_status: Int32, CaseIterable {
  /// It worked.
  case ok = 0

  /// An argument is not acceptable: NULL, out of range, or of the wrong size.
  case invalidArgument = 1
  /// The call does not fit the state of the session, as reading an output before the first run.
  case invalidState = 2
  /// The dimensions are not those the model takes.
  case shapeMismatch = 3
  /// The element type is not the one the model takes.
  case dtypeMismatch = 4
  /// An index held in a tensor lies outside the axis it selects from.
  case indexOutOfRange = 5
  /// The host's executor did not run every part of the work once.
  case executorFailed = 6

  /// The file cannot be opened or read.
  case fileAccess = 20
  /// The bytes are not a .nnrt file.
  case notANnrtFile = 21
  /// The file needs a newer library.
  case unsupportedVersion = 22
  /// The file contradicts the format's specification.
  case corruptFile = 23
  /// Stored bytes do not have their recorded checksum.
  case checksumMismatch = 24

  /// Memory for a file, a tensor or a run could not be had. A system without even the kilobytes that the library's own lists take
  /// ends the program instead.
  case outOfMemory = 40
  /// A limit set by the caller or by the library would be exceeded.
  case limitExceeded = 41

  /// The graph in the file is not well formed.
  case invalidGraph = 60
  /// An operator is not available for these types or attributes.
  case unsupportedOperator = 61

  /// A self-test vector gave other values than the file records.
  case selfTestFailed = 80
}

extension nnrt_status {
  init(_ code: ErrorCode) {
    switch code {
    case .invalidArgument: self = .invalidArgument
    case .invalidState: self = .invalidState
    case .shapeMismatch: self = .shapeMismatch
    case .dtypeMismatch: self = .dtypeMismatch
    case .indexOutOfRange: self = .indexOutOfRange
    case .executorFailed: self = .executorFailed
    case .fileAccess: self = .fileAccess
    case .notANnrtFile: self = .notANnrtFile
    case .unsupportedVersion: self = .unsupportedVersion
    case .corruptFile: self = .corruptFile
    case .checksumMismatch: self = .checksumMismatch
    case .outOfMemory: self = .outOfMemory
    case .limitExceeded: self = .limitExceeded
    case .invalidGraph: self = .invalidGraph
    case .unsupportedOperator: self = .unsupportedOperator
    case .selfTestFailed: self = .selfTestFailed
    }
  }

  private var name: StaticString {
    switch self {
    case .ok: "NNRT_OK"
    case .invalidArgument: "NNRT_INVALID_ARGUMENT"
    case .invalidState: "NNRT_INVALID_STATE"
    case .shapeMismatch: "NNRT_SHAPE_MISMATCH"
    case .dtypeMismatch: "NNRT_DTYPE_MISMATCH"
    case .indexOutOfRange: "NNRT_INDEX_OUT_OF_RANGE"
    case .executorFailed: "NNRT_EXECUTOR_FAILED"
    case .fileAccess: "NNRT_FILE_ACCESS"
    case .notANnrtFile: "NNRT_NOT_A_NNRT_FILE"
    case .unsupportedVersion: "NNRT_UNSUPPORTED_VERSION"
    case .corruptFile: "NNRT_CORRUPT_FILE"
    case .checksumMismatch: "NNRT_CHECKSUM_MISMATCH"
    case .outOfMemory: "NNRT_OUT_OF_MEMORY"
    case .limitExceeded: "NNRT_LIMIT_EXCEEDED"
    case .invalidGraph: "NNRT_INVALID_GRAPH"
    case .unsupportedOperator: "NNRT_UNSUPPORTED_OPERATOR"
    case .selfTestFailed: "NNRT_SELF_TEST_FAILED"
    }
  }

  fileprivate var cName: UnsafePointer<CChar> { cString(name) }
}

/// The name of a status as it stands in this header, such as "NNRT_CORRUPT_FILE".
///
/// - Parameters:
///   - status: Any number.
/// - Returns: A text that lives as long as the program; "NNRT_UNKNOWN_STATUS" for a number this library does not know.
///   Never NULL.
/// - Threads: Any.
@c(nnrt_status_name) public func nnrt_status_name(_ status: nnrt_status_code) -> UnsafePointer<CChar> {
  nnrt_status(rawValue: status)?.cName ?? cString("NNRT_UNKNOWN_STATUS")
}

/// The characters of a literal, which end with NUL.
func cString(_ literal: StaticString) -> UnsafePointer<CChar> {
  UnsafeRawPointer(literal.utf8Start).assumingMemoryBound(to: CChar.self)
}
