/// What was measured of one kernel with one shape, beside what the machine allows.
struct Measurement: Codable, Equatable {
  var group: Benchmark.Group
  var kernel: String
  var shape: String
  var algorithm: String?
  /// Processor time of one call.
  var seconds: Double
  var flops: Double?
  var bytes: Double
  var workingSet: Double
  var gigaflops: Double?
  var gigabytesPerSecond: Double
  /// Operations per byte.
  var intensity: Double?
  var nanosecondsPerElement: Double?
  /// In `roofUnit`.
  var roof: Double
  var roofUnit: Roof.Unit
  /// What bounds it: `peak`, or a level of the memory.
  var bound: String
  /// Of the roof: above 1 where operations are counted that Winograd's algorithm does not do, or where a level holds a part of what does
  /// not fit into it.
  var share: Double

  init(_ benchmark: Benchmark, seconds: Double, _ machine: Machine) {
    group = benchmark.group
    kernel = benchmark.kernel
    shape = benchmark.shape
    algorithm = benchmark.algorithm
    let work = benchmark.work
    let roof = machine.roof(work)
    self.seconds = seconds
    flops = work.flops
    bytes = work.bytes
    workingSet = work.workingSet
    gigaflops = work.flops.map { $0 / seconds * 1e-9 }
    gigabytesPerSecond = work.bytes / seconds * 1e-9
    intensity = work.intensity
    nanosecondsPerElement = work.elements.map { seconds / $0 * 1e9 }
    self.roof = roof.rate
    roofUnit = roof.unit
    bound = roof.bound
    share = (gigaflops ?? gigabytesPerSecond) / roof.rate
  }

  var name: String { "\(kernel) \(shape)" }
  /// Whether its operations are more than the algorithm does.
  var isWinograd: Bool { algorithm?.hasPrefix("winograd") ?? false }
}

/// Everything that one run measured: what `--json` writes and `--compare` reads.
struct Report: Codable, Equatable {
  var machine: Machine
  var results: [Measurement]
}
