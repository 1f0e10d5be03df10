import JSONFiles
import NNGraph
import NNTraining

/// An object of a description while it is read: it knows where it stands, and which keys it was asked for.
///
/// Whole numbers have a range that keeps every product a layer forms of them within 64 bits.
final class Fields {
  /// As `layers[2].body[0]`; empty for the document.
  let path: String
  /// How many objects it stands in.
  let depth: Int
  private let members: [JSONValue.Member]
  private var known: [String] = []

  /// - Throws: ``ErrorCode/invalidArgument`` for something other than an object.
  init(_ value: JSONValue, path: String, depth: Int) throws(NNError) {
    guard case .object(let members) = value else {
      throw NNError(.invalidArgument, "\(path.isEmpty ? "" : path + ": ")\(value.kind) instead of an object")
    }
    self.members = members
    self.path = path
    self.depth = depth
  }

  func place(_ key: String) -> String { path.isEmpty ? key : path + "." + key }

  func fault(_ key: String, _ message: Message) -> NNError {
    NNError(.invalidArgument, "\(place(key)): " + message)
  }

  func value(_ key: String) -> JSONValue? {
    if !known.contains(key) { known.append(key) }
    return members.first { $0.key == key }?.value
  }

  /// The value of a key that must be there.
  func required(_ key: String) throws(NNError) -> JSONValue {
    if let value = value(key) { return value }
    // A key that is misspelt is not there under its right name.
    let others = members.map { $0.key }.filter { !known.contains($0) }
    let hint = Spelling.nearest(key, among: others).map { ", but \"\($0)\" is: is that meant?" } ?? ""
    throw fault(key, "is missing\(hint)")
  }

  /// - Throws: ``ErrorCode/invalidArgument`` for a key that was not asked for.
  func finish() throws(NNError) {
    for member in members where !known.contains(member.key) {
      let complaint = Spelling.complaint(member.key, "key", among: known)
      throw NNError(.invalidArgument, "\(path.isEmpty ? "" : path + ": ")\(complaint)")
    }
  }
}

// Values by type. A default stands for a key that is not there; without one the key must be.
extension Fields {
  func int(_ key: String, or fallback: Int? = nil, in range: ClosedRange<Int> = 1...1 << 20) throws(NNError)
    -> Int
  {
    if let fallback, value(key) == nil { return fallback }
    return try Fields.whole(required(key), range) { [self] in fault(key, $0) }
  }

  func float(
    _ key: String, or fallback: Float? = nil, in range: ClosedRange<Float> = -3e38...3e38
  ) throws(NNError) -> Float {
    if let fallback, value(key) == nil { return fallback }
    let value = try required(key)
    guard case .number(let number) = value, range.contains(Float(number)) else {
      throw fault(key, "\(value.kind) instead of a number\(Fields.text(range))")
    }
    return Float(number)
  }

  func flag(_ key: String, or fallback: Bool) throws(NNError) -> Bool {
    guard let value = value(key) else { return fallback }
    guard case .bool(let flag) = value else { throw fault(key, "\(value.kind) instead of true or false") }
    return flag
  }

  func string(_ key: String) throws(NNError) -> String {
    let value = try required(key)
    guard case .string(let text) = value else { throw fault(key, "\(value.kind) instead of a text") }
    return text
  }

  func choice<Choice>(_ key: String, _ names: [(String, Choice)], or fallback: Choice) throws(NNError)
    -> Choice
  {
    if value(key) == nil { return fallback }
    let name = try string(key)
    guard let found = names.first(where: { $0.0 == name }) else {
      throw fault(key, Message(text: Spelling.complaint(name, "value", among: names.map { $0.0 })))
    }
    return found.1
  }

  func ints(_ key: String, in range: ClosedRange<Int> = 1...1 << 20) throws(NNError) -> [Int] {
    let value = try required(key)
    guard case .array(let values) = value else {
      throw fault(key, "\(value.kind) instead of an array of whole numbers")
    }
    var result: [Int] = []
    for (index, value) in values.enumerated() {
      result.append(try Fields.whole(value, range) { [self] in fault("\(key)[\(index)]", $0) })
    }
    return result
  }

  func floats(_ key: String) throws(NNError) -> [Float] {
    let value = try required(key)
    guard case .array(let values) = value else {
      throw fault(key, "\(value.kind) instead of an array of numbers")
    }
    var result: [Float] = []
    for (index, value) in values.enumerated() {
      guard case .number(let number) = value, Float(number).isFinite else {
        throw fault("\(key)[\(index)]", "\(value.kind) instead of a number")
      }
      result.append(Float(number))
    }
    return result
  }

  /// A number for both axes, or an array of two.
  func pair(_ key: String, or fallback: Extent2D? = nil, in range: ClosedRange<Int> = 1...4096)
    throws(NNError) -> Extent2D
  {
    if let fallback, value(key) == nil { return fallback }
    if case .array(let values) = try required(key) {
      let numbers = try ints(key, in: range)
      guard values.count == 2 else {
        throw fault(key, "\(values.count) numbers instead of one or two: height and width")
      }
      return Extent2D(numbers[0], numbers[1])
    }
    let number = try int(key, in: range)
    return Extent2D(number, number)
  }

  /// A number for all three axes, or an array of three.
  func triple(_ key: String, or fallback: Int? = nil, in range: ClosedRange<Int> = 1...4096)
    throws(NNError) -> (depth: Int, height: Int, width: Int)
  {
    if let fallback, value(key) == nil { return (fallback, fallback, fallback) }
    if case .array(let values) = try required(key) {
      let numbers = try ints(key, in: range)
      guard values.count == 3 else {
        throw fault(key, "\(values.count) numbers instead of one or three: depth, height and width")
      }
      return (numbers[0], numbers[1], numbers[2])
    }
    let number = try int(key, in: range)
    return (number, number, number)
  }

  private static func whole(
    _ value: JSONValue, _ range: ClosedRange<Int>, _ fault: (Message) -> NNError
  ) throws(NNError) -> Int {
    guard case .number(let number) = value, let whole = Int(exactly: number), range.contains(whole) else {
      throw fault("\(value.kind) instead of a whole number in \(range.lowerBound)…\(range.upperBound)")
    }
    return whole
  }

  private static func text(_ range: ClosedRange<Float>) -> String {
    range.upperBound >= 3e38 ? "" : " in \(range.lowerBound)…\(range.upperBound)"
  }
}

// Values that layers take
extension Fields {
  private static let activations: [(String, Activation)] = [
    ("identity", .identity), ("relu", .relu), ("leaky_relu", .leakyRelu), ("elu", .elu), ("gelu", .gelu),
    ("gelu_tanh", Activation(.geluTanh)), ("silu", .silu), ("softplus", .softplus), ("sigmoid", .sigmoid),
    ("tanh", .tanh),
  ]

  /// An activation's name, or an object with its parameter: `{"type": "leaky_relu", "slope": 0.2}`.
  func activation(_ key: String = "activation", or fallback: Activation = .identity) throws(NNError)
    -> Activation
  {
    guard case .object = value(key) else {
      return try choice(key, Fields.activations, or: fallback)
    }
    let fields = try Fields(required(key), path: place(key), depth: depth + 1)
    let base = try fields.choice("type", Fields.activations, or: .identity)
    _ = try fields.required("type")
    let result: Activation
    switch base.function {
    case .leakyRelu: result = .leakyRelu(slope: try fields.float("slope", or: 0.01))
    case .elu: result = .elu(scale: try fields.float("scale", or: 1))
    default: result = base
    }
    try fields.finish()
    return result
  }

  private static let initializers: [(String, Initializer)] = [
    ("zeros", .zeros), ("ones", .ones), ("glorot_uniform", .glorotUniform), ("glorot_normal", .glorotNormal),
    ("he_uniform", .heUniform), ("he_normal", .heNormal), ("lecun_uniform", .leCunUniform),
    ("lecun_normal", .leCunNormal), ("orthogonal", .orthogonal), ("constant", .constant(0)),
    ("uniform", .uniform(0.05)), ("normal", .normal(standardDeviation: 0.05)),
    ("truncated_normal", .truncatedNormal(standardDeviation: 0.05)),
  ]

  /// An initialiser's name, or an object with its parameter: `{"type": "normal", "standard_deviation": 0.02}`.
  func initializer(_ key: String = "initializer", or fallback: Initializer = .glorotUniform) throws(NNError)
    -> Initializer
  {
    guard case .object = value(key) else {
      return try choice(key, Fields.initializers, or: fallback)
    }
    let fields = try Fields(required(key), path: place(key), depth: depth + 1)
    let base = try fields.choice("type", Fields.initializers, or: .zeros)
    _ = try fields.required("type")
    func deviation() throws(NNError) -> Float {
      try fields.float("standard_deviation", or: 0.05, in: 0...1e6)
    }
    let result: Initializer
    switch base {
    case .constant: result = .constant(try fields.float("value"))
    case .orthogonal: result = .orthogonal(gain: try fields.float("gain", or: 1))
    case .uniform: result = .uniform(try fields.float("bound", or: 0.05, in: 0...1e6))
    case .normal: result = .normal(standardDeviation: try deviation())
    case .truncatedNormal: result = .truncatedNormal(standardDeviation: try deviation())
    default: result = base
    }
    try fields.finish()
    return result
  }

  /// `"valid"`, `"same"`, or zeros on each side: a number for both axes, or two.
  func padding(_ key: String = "padding") throws(NNError) -> Padding {
    switch value(key) {
    case nil: return .valid
    case .string: return try choice(key, [("valid", .valid), ("same", .same)], or: .valid)
    default:
      let zeros = try pair(key, in: 0...4096)
      return .explicit(zeros.height, zeros.width)
    }
  }

  /// `"valid"`, `"same"`, `"causal"`, or the number of zeros at each end.
  func padding1D(_ key: String = "padding") throws(NNError) -> Conv1D.Padding {
    switch value(key) {
    case nil: return .valid
    case .string:
      return try choice(key, [("valid", .valid), ("same", .same), ("causal", .causal)], or: .valid)
    default: return .explicit(try int(key, in: 0...4096))
    }
  }

  /// Layers one after the other, each an object.
  func layers(_ key: String, isRequired: Bool = true) throws(NNError) -> [any Layer] {
    if !isRequired, value(key) == nil { return [] }
    return try LayerList.read(required(key), path: place(key), depth: depth)
  }
}
