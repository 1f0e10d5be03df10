import NNGraph

/// The dictionary at the beginning of a `.npy` file: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
struct NPYHeader {
  var dtype: DType
  var extents: [Int]

  init(parsing text: String) throws(NNError) {
    var literal = PythonLiteral(text)
    var descriptor: String?
    var isColumnMajor: Bool?
    var shape: [Int]?
    try literal.expect("{")
    while !literal.skip("}") {
      let key = try literal.string()
      try literal.expect(":")
      switch key {
      case "descr":
        guard !literal.skip("[") else {
          throw NNError(.unsupportedOperator, "a structured dtype; save one plain field at a time")
        }
        descriptor = try literal.string()
      case "fortran_order": isColumnMajor = try literal.bool()
      case "shape": shape = try literal.tuple()
      default: throw NNError(.corruptFile, "unknown key '\(key)' in the .npy header")
      }
      if !literal.skip(",") {
        try literal.expect("}")
        break
      }
    }
    guard let descriptor, let isColumnMajor, let shape else {
      throw NNError(.corruptFile, "the .npy header lacks 'descr', 'fortran_order' or 'shape'")
    }
    guard !isColumnMajor else {
      throw NNError(
        .unsupportedOperator, "the array is in Fortran order; save numpy.ascontiguousarray(x) instead")
    }
    dtype = try NPYHeader.dtype(descriptor)
    extents = shape
  }

  /// NumPy's name for an element type, as in `'<f4'`.
  static func descriptor(of dtype: DType) -> String {
    switch dtype {
    case .f32, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1: "<f4"
    case .f64: "<f8"
    case .f16: "<f2"
    case .i8, .i4, .i2: "|i1"
    case .i16: "<i2"
    case .i32: "<i4"
    case .i64: "<i8"
    case .u8, .u4, .u2: "|u1"
    case .u16: "<u2"
    case .u32: "<u4"
    case .u64: "<u8"
    case .bool: "|b1"
    }
  }

  private static func dtype(_ descriptor: String) throws(NNError) -> DType {
    let order = descriptor.first
    let kind = String(descriptor.dropFirst())
    let isSingleByte = kind.hasSuffix("1")
    if kind.hasPrefix("O") {
      throw NNError(.unsupportedOperator, "the array holds Python objects; save it with a number dtype")
    }
    if order == ">", !isSingleByte {
      throw NNError(
        .unsupportedOperator,
        "the elements are big-endian (\(descriptor)); save x.astype(x.dtype.newbyteorder('<')) instead")
    }
    switch kind {
    case "f4": return .f32
    case "f8": return .f64
    case "f2": return .f16
    case "i1": return .i8
    case "i2": return .i16
    case "i4": return .i32
    case "i8": return .i64
    case "u1": return .u8
    case "u2": return .u16
    case "u4": return .u32
    case "u8": return .u64
    case "b1": return .bool
    default:
      throw NNError(
        .unsupportedOperator,
        "dtype '\(descriptor)'; f2, f4, f8, i1, i2, i4, i8, u1, u2, u4, u8 and b1 are supported")
    }
  }
}

/// As much of Python's literal syntax as `.npy` headers use.
private struct PythonLiteral {
  private var rest: Substring

  init(_ text: String) {
    rest = text[...]
  }

  private var fault: NNError {
    NNError(.corruptFile, "the .npy header cannot be read near '\(String(rest.prefix(20)))'")
  }

  private mutating func skipSpace() {
    rest = rest.drop { $0 == " " || $0 == "\n" || $0 == "\t" }
  }

  mutating func skip(_ token: String) -> Bool {
    skipSpace()
    guard rest.hasPrefix(token) else { return false }
    rest = rest.dropFirst(token.count)
    return true
  }

  mutating func expect(_ token: String) throws(NNError) {
    guard skip(token) else { throw fault }
  }

  mutating func string() throws(NNError) -> String {
    skipSpace()
    guard let quote = rest.first, quote == "'" || quote == "\"" else { throw fault }
    let body = rest.dropFirst()
    guard let end = body.firstIndex(of: quote) else { throw fault }
    rest = body[body.index(after: end)...]
    return String(body[..<end])
  }

  mutating func bool() throws(NNError) -> Bool {
    if skip("True") { return true }
    try expect("False")
    return false
  }

  mutating func tuple() throws(NNError) -> [Int] {
    try expect("(")
    var result: [Int] = []
    while !skip(")") {
      skipSpace()
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard let extent = Int(digits) else { throw fault }
      rest = rest.dropFirst(digits.count)
      // Files that Python 2 wrote may mark long integers.
      _ = skip("L")
      result.append(extent)
      guard skip(",") else {
        try expect(")")
        break
      }
    }
    return result
  }
}
