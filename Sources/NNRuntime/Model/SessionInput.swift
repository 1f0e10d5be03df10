import CPlatform
import NNGraph

/// One input of a session: its memory, and the extents of what is in it.
struct SessionInput {
  let name: Name
  let type: TensorType
  /// Whether it is a carried state.
  let isState: Bool
  private(set) var isSet: Bool
  private(set) var extents: [Int]
  private var memory: AlignedMemory
  private var size: Int

  /// A carried state counts as set from the beginning, to zeros, if its extents are known.
  init(_ value: Value, isState: Bool) throws(NNError) {
    self.isState = isState
    name = value.name
    type = value.type
    let fixed = value.type.shape.extents
    extents = fixed ?? []
    isSet = isState && fixed != nil
    size = (fixed == nil ? 0 : value.type.shape.elementCount ?? 0) * value.type.dtype.size
    memory = try AlignedMemory(size: isSet ? size : 0, purpose: "an input")
    if isSet { memset(memory.base, 0, size) } else { size = 0 }
  }

  /// The memory that holds the content.
  var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: memory.base, count: size) }

  /// What taking over a content changed beside it.
  enum Change {
    case nothing
    case extents
    /// Memory, and with it extents.
    case memory
  }

  /// Takes over an input's content.
  mutating func set(
    dtype: DType, extents given: UnsafeBufferPointer<Int>, bytes: UnsafeRawBufferPointer, symbols: [Name]
  ) throws(NNError) -> Change {
    guard dtype == type.dtype else {
      throw NNError(.dtypeMismatch, "input \(name.quoted) is \(type.dtype.name), not \(dtype.name)")
    }
    var count = 1
    var fits = given.count == type.shape.rank
    for axis in given.indices where fits {
      fits = given[axis] >= 0 && type.shape[axis].mayEqual(.fixed(given[axis]))
      // Zeros count as ones here, so that one cannot hide an absurd extent.
      let (product, overflow) = count.multipliedReportingOverflow(by: max(given[axis], 1))
      guard fits, !overflow, product <= Shape.maximumElementCount else {
        fits = false
        break
      }
      count = product
    }
    guard fits else {
      throw NNError(
        .shapeMismatch,
        "input \(name.quoted) has shape \(SessionInput.describe(given)) but the model takes "
          + type.shape.describe(symbols: symbols))
    }
    let needed = given.contains(0) ? 0 : count * dtype.size
    guard bytes.count == needed else {
      throw NNError(
        .invalidArgument,
        "input \(name.quoted): \(bytes.count) bytes given, shape \(SessionInput.describe(given)) of \(dtype.name) needs \(needed)"
      )
    }
    var change: Change = isSet && hasExtents(given) ? .nothing : .extents
    if needed > memory.size {
      memory = try AlignedMemory(size: needed, purpose: "an input", isSoonWritten: true)
      change = .memory
    }
    if let source = bytes.baseAddress, needed > 0 { memcpy(memory.base, source, needed) }
    size = needed
    isSet = true
    if !hasExtents(given) { extents = Array(given) }
    return change
  }

  /// Back to zeros if its extents are known, else to not being set.
  ///
  /// - Returns: whether it is set.
  mutating func reset() -> Bool {
    isSet = type.shape.extents != nil
    if isSet { memset(memory.base, 0, size) }
    return isSet
  }

  private func hasExtents(_ given: UnsafeBufferPointer<Int>) -> Bool {
    guard given.count == extents.count else { return false }
    for axis in given.indices where given[axis] != extents[axis] { return false }
    return true
  }

  private static func describe(_ extents: UnsafeBufferPointer<Int>) -> String {
    let shown = Array(extents.prefix(Shape.maximumRank))
    return Shape(shown).description + (extents.count > Shape.maximumRank ? " and more axes" : "")
  }
}
