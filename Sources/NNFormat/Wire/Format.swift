// The numbers of the `.nnrt` format, version 1. SPECIFICATION.md explains them.

/// Numbers that reader and writer share.
enum Format {
  /// "NNRT"
  static let magic: UInt32 = 0x5452_4E4E
  static let version: UInt16 = 1
  static let headerSize = 24
  static let sectionEntrySize = 40
  static let maximumSectionCount = 64
  /// Where every section but ``SectionKind/data`` starts: at a multiple of this.
  static let sectionAlignment = 8
  /// Where the data section and each raw tensor in it start.
  static let dataAlignment = 64
  /// Raw bytes of every chunk of a tensor but the last.
  static let chunkSize = 1 << 18
  /// Raw bytes of a section outside the data.
  static let maximumSectionSize = 1 << 28
  /// A compressed section is at most this many times as long once it is decompressed.
  static let maximumExpansion = 1024
  static let maximumNameLength = 1024
  /// Inputs or results of one node.
  static let maximumNodeArity = 1 << 16
  static let maximumMetadataCount = 1 << 16
  static let maximumSelfTestCount = 1024

  /// `offset` rounded up to a multiple of `alignment`, a power of two; nil if that overflows.
  static func align(_ offset: Int, to alignment: Int) -> Int? {
    let (sum, overflow) = offset.addingReportingOverflow(alignment - 1)
    return overflow ? nil : sum & ~(alignment - 1)
  }
}

/// What a section holds. Raw values are wire codes without the bit that says "required".
public enum SectionKind: UInt32, CaseIterable, Sendable {
  case graph = 1
  case tensorIndex = 2
  case data = 3
  case metadata = 4
  case selfTest = 5

  /// Set in the wire code of a section that a reader must understand.
  static let requiredBit: UInt32 = 0x8000_0000

  var isRequired: Bool {
    switch self {
    case .graph, .tensorIndex, .data: true
    case .metadata, .selfTest: false
    }
  }

  var wireCode: UInt32 { isRequired ? rawValue | SectionKind.requiredBit : rawValue }

  var alignment: Int { self == .data ? Format.dataAlignment : Format.sectionAlignment }

  /// The name used in messages and by `nnpack inspect`.
  public var name: StaticString {
    switch self {
    case .graph: "graph"
    case .tensorIndex: "tensor index"
    case .data: "data"
    case .metadata: "metadata"
    case .selfTest: "self-test"
    }
  }
}

/// How a section or a tensor is stored. Raw values are wire codes.
public enum StorageCodec: UInt8, CaseIterable, Sendable {
  /// The bytes themselves. Tensors start at multiples of 64 bytes, so that a mapped file serves them without a copy.
  case raw = 0
  /// Compressed by zstd; tensors as byte planes in chunks.
  case zstd = 1

  /// The name used by `nnpack inspect`.
  public var name: StaticString {
    switch self {
    case .raw: "raw"
    case .zstd: "zstd"
    }
  }
}
