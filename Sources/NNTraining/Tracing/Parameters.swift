import CPlatform
import NNGraph

/// A tensor that training changes: a weight, or a running statistic. Its memory stays in place for its whole life,
/// so that plans can be bound to it.
public final class Parameter {
  /// Unique in a model: the layer's name, a dot, and the role, as `dense_1.weight`.
  public let name: Name
  public let extents: [Int]
  /// Whether the optimiser updates it; running statistics are updated by their layer instead.
  public let isTrainable: Bool
  /// The elements, row-major, aligned to 64 bytes.
  public let values: UnsafeMutableBufferPointer<Float>

  /// How it gets its first values.
  private let initializer: Initializer
  private let fans: Fans

  /// - Throws: ``ErrorCode/limitExceeded`` or ``ErrorCode/outOfMemory``.
  init(
    name: Name, extents: [Int], isTrainable: Bool, initializer: Initializer = .zeros,
    fans: Fans = Fans(input: 1, output: 1)
  ) throws(NNError) {
    let size = try Tensor.byteCount(dtype: .f32, extents: extents, layout: .rowMajor)
    guard let memory = nnp_allocate(size) else {
      throw NNError(.outOfMemory, "\(size) bytes for parameter \(name.quoted) could not be allocated")
    }
    self.name = name
    self.extents = extents
    self.isTrainable = isTrainable
    self.initializer = initializer
    self.fans = fans
    let floats = memory.bindMemory(to: Float.self, capacity: size / 4)
    values = UnsafeMutableBufferPointer(start: floats, count: size / 4)
    values.initialize(repeating: 0)
  }

  deinit {
    nnp_free(values.baseAddress)
  }

  /// Draws the first values; they depend on the seed, the name and the shape alone.
  func initialize(seed: UInt64) {
    var generator = Philox(seed: seed, stream: Philox.stream(of: name))
    initializer.fill(values, fans: fans, extents: extents, using: &generator)
  }

  var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(values) }

  /// A copy of the present values, as a constant for a graph.
  func tensor() throws(NNError) -> Tensor {
    try Tensor(Array(values), extents: extents)
  }
}

/// The parameters of one model, or of several that are trained together, in the order in which layers first asked for them.
public final class ParameterStore {
  public private(set) var parameters: [Parameter] = []
  /// What initialisers draw from.
  public let seed: UInt64
  /// What optimisers keep about the parameters.
  let slots = SlotStore()
  /// Sums of gradients of batches that make one update together.
  let accumulators = SlotStore()

  public init(seed: UInt64) {
    self.seed = seed
  }

  public subscript(name: Name) -> Parameter? {
    parameters.first { $0.name == name }
  }

  /// The parameter called `name`, made and initialised if the model has none yet.
  ///
  /// The initial values depend on the seed, the name and the shape alone, not on which parameters exist already.
  func parameter(
    _ name: Name, extents: [Int], initializer: Initializer, fans: Fans, isTrainable: Bool
  ) throws(NNError) -> Parameter {
    if let known = self[name] {
      guard known.extents == extents else {
        throw NNError(
          .shapeMismatch,
          "parameter \(name.quoted) has shape \(Shape(known.extents).description) from an earlier call, "
            + "but this input asks for \(Shape(extents).description)")
      }
      return known
    }
    let parameter = try Parameter(
      name: name, extents: extents, isTrainable: isTrainable, initializer: initializer, fans: fans)
    parameter.initialize(seed: seed)
    parameters.append(parameter)
    return parameter
  }

  /// Gives the parameters whose names begin with `prefix`, as in ``ParameterGroup``, new initial values; optimisers forget
  /// what they kept about them.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` if there are no such parameters.
  public func reinitialize(_ prefix: String, seed: UInt64) throws(NNError) {
    let chosen = parameters.filter { ParameterGroup.prefix(prefix, covers: $0.name.string) }
    guard !chosen.isEmpty else {
      throw NNError(.invalidArgument, "no parameter's name begins with \(prefix)")
    }
    for parameter in chosen { parameter.initialize(seed: seed) }
    for slot in slots.all where ParameterGroup.prefix(prefix, covers: slot.name.string) {
      slot.initialize(seed: seed)
    }
  }
}

/// The optimisers' tensors, named after the parameter they belong to.
final class SlotStore {
  private(set) var all: [Parameter] = []

  func slots(for parameter: Parameter, names: [String]) throws(NNError) -> [Parameter] {
    var result: [Parameter] = []
    for name in names {
      let full = Name(parameter.name.string + "/" + name)
      if let known = all.first(where: { $0.name == full }) {
        result.append(known)
      } else {
        let slot = try Parameter(name: full, extents: parameter.extents, isTrainable: false)
        all.append(slot)
        result.append(slot)
      }
    }
    return result
  }
}
