import NNGraph

extension Elementwise {
  static func export(_ function: BinaryFunction, _ a: Operand, _ b: Operand, _ graph: OnnxGraphWriter) throws
    -> String
  {
    switch function {
    case .bitwiseAnd, .bitwiseOr, .bitwiseXor:
      if function == .bitwiseXor, let all = exportNot(a, b, graph) ?? exportNot(b, a, graph) { return all }
      let name = a.dtype == .bool ? function.onnxLogicalName ?? function.onnxName : function.onnxName
      return graph.node(name, a.name, b.name)
    case .shiftLeft, .shiftRight: return try exportShift(function, a, b, graph)
    case .divide, .remainder, .modulo:
      guard a.dtype.isInteger else { return try exportDivision(function, a.name, b.name, a.dtype, graph) }
      return try exportIntegerDivision(function, a, b, graph)
    case .add, .subtract, .multiply, .minimum, .maximum, .power:
      return graph.node(function.onnxName, a.name, b.name)
    }
  }

  /// Exclusive or with ones everywhere.
  private static func exportNot(_ x: Operand, _ ones: Operand, _ graph: OnnxGraphWriter) -> String? {
    guard let numbers = ones.constant?.integers, numbers.count == 1, ones.rank == 0 else { return nil }
    if x.dtype == .bool { return numbers[0] == 1 ? graph.node("Not", x.name) : nil }
    return numbers[0] == -1 ? graph.node("BitwiseNot", x.name) : nil
  }

  private static func exportDivision(
    _ function: BinaryFunction, _ a: String, _ b: String, _ dtype: DType, _ graph: OnnxGraphWriter
  ) throws -> String {
    if function == .divide { return graph.node("Div", a, b) }
    let isFloored = function == .modulo
    if dtype.isInteger { return graph.node("Mod", a, b, attributes: [.flag("fmod", !isFloored)]) }
    let remainder = graph.node("Mod", a, b, attributes: [.int("fmod", 1)])
    guard isFloored else { return remainder }
    // The standard has this for integers alone: a remainder of the wrong sign is moved by one divisor.
    let zero = try graph.scalar(0, dtype)
    let differs = graph.node("Xor", graph.node("Less", remainder, zero), graph.node("Less", b, zero))
    let isExact = graph.node("Equal", remainder, zero)
    let keeps = graph.node("Or", isExact, graph.node("Not", differs))
    return graph.node("Where", keeps, remainder, graph.node("Add", remainder, b))
  }

  /// A divisor of 0, which would end the program that runs the model, gives 0.
  private static func exportIntegerDivision(
    _ function: BinaryFunction, _ a: Operand, _ b: Operand, _ graph: OnnxGraphWriter
  ) throws -> String {
    if let divisors = b.constant?.integers, !divisors.contains(0) {
      return try exportDivision(function, a.name, b.name, a.dtype, graph)
    }
    let isZero = graph.node("Equal", b.name, try graph.scalar(int: 0, b.dtype))
    let divisor = try exportSelect(
      isZero, Operand(try graph.scalar(int: 1, b.dtype), b.type), b, graph)
    let quotient = Operand(try exportDivision(function, a.name, divisor, a.dtype, graph), a.type)
    return try exportSelect(isZero, Operand(try graph.scalar(int: 0, a.dtype), a.type), quotient, graph)
  }

  /// The standard shifts numbers without a sign, by less than their bits.
  private static func exportShift(
    _ function: BinaryFunction, _ a: Operand, _ b: Operand, _ graph: OnnxGraphWriter
  ) throws -> String {
    let dtype = a.dtype
    let bits: DType = dtype == .i32 ? .u32 : .u64
    let isLeft = function == .shiftLeft
    let direction = OnnxAttributeProto.string("direction", isLeft ? "LEFT" : "RIGHT")
    func shifted(_ x: String, _ distance: String) -> String {
      let result = graph.node(
        "BitShift", dtype == bits ? x : graph.cast(x, bits),
        dtype == bits ? distance : graph.cast(distance, bits), attributes: [direction])
      return dtype == bits ? result : graph.cast(result, dtype)
    }
    /// Numbers below 0 are shifted with their bits turned around.
    func arithmetic(_ distance: String) throws -> String {
      guard !isLeft, dtype.isSigned else { return shifted(a.name, distance) }
      let isNegative = graph.node("Less", a.name, try graph.scalar(int: 0, dtype))
      let magnitude = graph.node("Where", isNegative, graph.node("BitwiseNot", a.name), a.name)
      let result = shifted(magnitude, distance)
      return graph.node("Where", isNegative, graph.node("BitwiseNot", result), result)
    }
    if let distances = b.constant?.integers, distances.allSatisfy({ (0..<dtype.bitWidth).contains($0) }) {
      return try arithmetic(b.name)
    }
    // By one bit less than there are, the sign alone remains; everything else is shifted out.
    let last = try graph.scalar(int: dtype.bitWidth - 1, dtype)
    let zero = try graph.scalar(int: 0, dtype)
    var isOutside = graph.node("Greater", b.name, last)
    if dtype.isSigned { isOutside = graph.node("Or", isOutside, graph.node("Less", b.name, zero)) }
    let inside = try arithmetic(try exportSelect(isOutside, Operand(last, b.type), b, graph))
    if !isLeft, dtype.isSigned { return inside }
    return try exportSelect(isOutside, Operand(zero, a.type), Operand(inside, a.type), graph)
  }

  static func export(_ function: CompareFunction, _ a: Operand, _ b: Operand, _ graph: OnnxGraphWriter) throws
    -> String
  {
    guard let name = function.onnxName else {
      // What is not equal to itself is not a number.
      if a.name == b.name, a.dtype.isFloatingPoint { return graph.node("IsNaN", a.name) }
      return graph.node("Not", graph.node("Equal", a.name, b.name))
    }
    return graph.node(name, a.name, b.name)
  }

  static func exportSelect(_ operands: [Operand], _ graph: OnnxGraphWriter) throws -> String {
    try exportSelect(operands[0].name, operands[1], operands[2], graph)
  }

  static func exportSelect(_ condition: String, _ a: Operand, _ b: Operand, _ graph: OnnxGraphWriter) throws
    -> String
  {
    try graph.moving(.selecting, [a, b]) { graph.node("Where", condition, $0[0], $0[1]) }
  }

  static func exportCast(_ x: Operand, _ dtype: DType, _ mode: CastMode, _ graph: OnnxGraphWriter) throws
    -> String
  {
    let to = OnnxAttributeProto.int("to", ElementType.number(dtype))
    if mode == .bits { return bits(x, dtype, graph) }
    var source = x.name
    if mode == .clamping, x.dtype.isInteger, dtype.isInteger { source = try clamped(x, to: dtype, graph) }
    var attributes = [to]
    if !mode.saturates { attributes.append(.int("saturate", 0)) }
    switch mode.powerRounding {
    case .up: break
    case .down: attributes.append(.string("round_mode", "down"))
    case .nearest: attributes.append(.string("round_mode", "nearest"))
    }
    return graph.node("Cast", source, attributes: attributes)
  }

  /// The same bits as another type. Those of a truth value are the number that it stands for.
  private static func bits(_ x: Operand, _ dtype: DType, _ graph: OnnxGraphWriter) -> String {
    let source = x.dtype == .bool ? graph.cast(x.name, .u8) : x.name
    let target = dtype == .bool ? .u8 : dtype
    let result =
      (x.dtype == .bool ? .u8 : x.dtype) == target
      ? source : graph.node("BitCast", source, attributes: [.int("to", ElementType.number(target))])
    return dtype == .bool ? graph.cast(result, .bool) : result
  }

  /// x, of i32, i64 or u64, within the range of another integer type.
  private static func clamped(_ x: Operand, to dtype: DType, _ graph: OnnxGraphWriter) throws -> String {
    var result = x.name
    // Above 63 bits without a sign no number of i64 is too large.
    if x.dtype.isSigned, dtype.isUnsigned || dtype.bitWidth < x.dtype.bitWidth {
      let least = dtype.isUnsigned ? 0 : -1 << (dtype.bitWidth - 1)
      result = graph.node("Max", result, try graph.scalar(int: least, x.dtype))
    }
    let valueBits = dtype.bitWidth - (dtype.isSigned ? 1 : 0)
    if valueBits < x.dtype.bitWidth - (x.dtype.isSigned ? 1 : 0) {
      let most = valueBits == 63 ? Int.max : 1 << valueBits - 1
      result = graph.node("Min", result, try graph.scalar(int: most, x.dtype))
    }
    return result
  }
}
