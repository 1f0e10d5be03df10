import NNKernels

/// One kernel with one shape.
struct Benchmark {
  enum Group: String, CaseIterable, Codable {
    case matmul, narrow, convolution, transposed, pool, recurrent, softmax, normalize, reduce, movement
    case elementwise, unary, random, training
  }

  var group: Group
  var kernel: String
  var shape: String
  /// How a kernel that has several ways computes this shape.
  var algorithm: String?
  var work: Work
  /// Makes the operands, and gives what is measured; nil if the instruction set has no such kernel.
  var prepare: (KernelTable, Memory) -> (() -> Void)?

  init(
    _ group: Group, _ kernel: String, _ shape: String, algorithm: String? = nil, _ work: Work,
    prepare: @escaping (KernelTable, Memory) -> (() -> Void)?
  ) {
    self.group = group
    self.kernel = kernel
    self.shape = shape
    self.algorithm = algorithm
    self.work = work
    self.prepare = prepare
  }

  /// The same in every run, so that runs can be compared.
  var name: String { "\(kernel) \(shape)" }

  static var all: [Benchmark] {
    products + narrowProducts + convolutions + transposedConvolutions + pools + recurrences + softmaxes
      + normalizations + reductions + movements + elementwise + unaryFunctions + randomNumbers + training
  }

  /// Those of the named groups (of all, if none is named) whose group or name contains one of the texts, in any case.
  static func selected(groups: [Group], filters: [String]) -> [Benchmark] {
    all.filter { benchmark in
      let text = "\(benchmark.group.rawValue) \(benchmark.name)".lowercased()
      return (groups.isEmpty || groups.contains(benchmark.group))
        && (filters.isEmpty || filters.contains { text.contains($0.lowercased()) })
    }
  }

  /// Seconds that one call takes; nil if the instruction set has no such kernel.
  func seconds(_ table: KernelTable, _ effort: Effort) -> Double? {
    let memory = Memory()
    guard let body = prepare(table, memory) else { return nil }
    return withExtendedLifetime(memory) { effort.secondsPerCall(body) }
  }
}

/// The product of some extents, as a number to count with.
func count(_ extents: Int...) -> Double { extents.reduce(1) { $0 * Double($1) } }

/// `64x56x56`.
func shapeText(_ extents: [Int]) -> String { extents.map(String.init).joined(separator: "x") }
