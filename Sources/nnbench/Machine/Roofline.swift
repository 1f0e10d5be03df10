/// A machine as the roofline model sees it: Williams, Waterman and Patterson 2009.
struct Machine: Codable, Equatable {
  /// A level of the memory hierarchy, and how fast one core reads from it.
  struct Level: Codable, Equatable {
    var name: String
    /// In bytes; nil for what is behind the last cache.
    var capacity: Int?
    var gigabytesPerSecond: Double
  }

  /// The processor's name as the system gives it.
  var processor: String
  /// `baseline`, `v3` or `v4`.
  var instructionSet: String
  /// GFLOP/s of one core's multiply–adds of f32.
  var peak: Double
  /// From the fastest to the slowest; the last one has no capacity.
  var levels: [Level]

  /// The level that holds `workingSet` bytes.
  func level(holding workingSet: Double) -> Level {
    levels.first { level in level.capacity.map { workingSet <= Double($0) } ?? true }
      ?? levels[levels.count - 1]
  }

  /// The most that a kernel can do.
  func roof(_ work: Work) -> Roof {
    let level = level(holding: work.workingSet)
    guard let intensity = work.intensity else {
      return Roof(rate: level.gigabytesPerSecond, unit: .gigabytes, bound: level.name)
    }
    let reachable = intensity * level.gigabytesPerSecond
    let peak = peak * work.peakShare
    return reachable < peak
      ? Roof(rate: reachable, unit: .gigaflops, bound: level.name)
      : Roof(rate: peak, unit: .gigaflops, bound: "peak")
  }

  /// The better of two measurements of the same machine: what it could do once it can do.
  func best(_ other: Machine) -> Machine {
    var best = self
    best.peak = max(peak, other.peak)
    for (index, level) in other.levels.enumerated() where index < levels.count {
      best.levels[index].gigabytesPerSecond = max(levels[index].gigabytesPerSecond, level.gigabytesPerSecond)
    }
    return best
  }
}

/// What one call of a kernel has to do.
struct Work: Equatable {
  /// Multiplications, additions and comparisons of the plain formula; nil where functions or movement take the time.
  var flops: Double?
  /// The least that has to move: every operand once, though a kernel may read it more often.
  var bytes: Double
  /// The memory that the operands take; ``bytes`` unless told.
  var workingSet: Double
  /// Results, where the time of one tells more than the rate.
  var elements: Double?
  /// Of the f32 peak, for other types: half of it for f64.
  var peakShare = 1.0

  init(flops: Double? = nil, bytes: Double, workingSet: Double? = nil, elements: Double? = nil) {
    self.flops = flops
    self.bytes = bytes
    self.workingSet = workingSet ?? bytes
    self.elements = elements
  }

  /// Operations per byte.
  var intensity: Double? { flops.map { $0 / bytes } }
}

/// The lower one of what the arithmetic units and the memory can do.
struct Roof: Equatable {
  enum Unit: String, Codable {
    case gigaflops = "GFLOP/s"
    case gigabytes = "GB/s"
  }

  var rate: Double
  var unit: Unit
  /// `peak`, or the name of the level that bounds it.
  var bound: String
}
