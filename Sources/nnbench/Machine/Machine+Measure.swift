import CPlatform
import Foundation
import NNKernels

extension Machine {
  /// Measures one core with the instructions that the kernels of `table` use.
  static func measured(_ table: KernelTable, _ effort: Effort) -> Machine {
    let name = "\(table.name)"
    let caches = cacheSizes()
    var levels: [Level] = []
    for (index, capacity) in caches.enumerated() {
      // Well within this one, and just beyond the level before (the first one has none): the faster.
      var sizes = [capacity / 2]
      sizes.append(index > 0 ? min(caches[index - 1] * 2, capacity / 2) : capacity / 4 * 3)
      let rate = sizes.map { readBandwidth($0, name, effort) }.max() ?? 0
      levels.append(Level(name: "L\(index + 1)", capacity: capacity, gigabytesPerSecond: rate))
    }
    let last = max(caches.last ?? 0, 32 << 20)
    let beyond = [2 * last, 3 * last].map { readBandwidth($0, name, effort) }.max() ?? 0
    levels.append(Level(name: "memory", capacity: nil, gigabytesPerSecond: beyond))
    return Machine(
      processor: processorName(), instructionSet: name, peak: multiplyAddPeak(name, effort), levels: levels)
  }

  /// GFLOP/s of a loop that stays in registers.
  private static func multiplyAddPeak(_ instructionSet: String, _ effort: Effort) -> Double {
    let iterations = 100_000
    var sink: Float = 0
    var lanes = 4.0
    let seconds: Double
    switch instructionSet {
    #if arch(x86_64)
      case "v4":
        lanes = 16
        seconds = effort.leastSecondsPerCall { sink += nnp_peak_v4(iterations) }
      case "v3":
        lanes = 8
        seconds = effort.leastSecondsPerCall { sink += nnp_peak_v3(iterations) }
    #endif
    default: seconds = effort.leastSecondsPerCall { sink += nnp_peak_any(iterations) }
    }
    precondition(sink.isFinite)
    return 2 * 12 * lanes * Double(iterations) / seconds * 1e-9
  }

  /// GB/s of reading `size` bytes again and again.
  private static func readBandwidth(_ size: Int, _ instructionSet: String, _ effort: Effort) -> Double {
    let memory = Memory()
    let count = max(128, size / 4 / 128 * 128)
    let x = UnsafePointer(memory.bytes(count * 4).bindMemory(to: Float.self, capacity: count))
    // Of small sizes enough that calling does not count.
    let times = max(1, (1 << 18) / count)
    var sink: Float = 0
    let seconds: Double
    switch instructionSet {
    #if arch(x86_64)
      case "v4": seconds = effort.leastSecondsPerCall { sink += nnp_read_v4(x, count, times) }
      case "v3": seconds = effort.leastSecondsPerCall { sink += nnp_read_v3(x, count, times) }
    #endif
    default: seconds = effort.leastSecondsPerCall { sink += nnp_read_any(x, count, times) }
    }
    precondition(sink == 0)
    return Double(count * times * 4) / seconds * 1e-9
  }
}

/// Bytes of the caches that hold data, first level first: as the system tells, or of common sizes where it does not.
private func cacheSizes() -> [Int] {
  var sizes: [Int: Int] = [:]
  for index in 0..<8 {
    func read(_ name: String) -> String? {
      let path = "/sys/devices/system/cpu/cpu0/cache/index\(index)/\(name)"
      return try? String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(
        in: .whitespacesAndNewlines)
    }
    guard let type = read("type"), type != "Instruction", let level = read("level").flatMap({ Int($0) }),
      let size = read("size").flatMap(parseCacheSize)
    else { continue }
    sizes[level] = size
  }
  let known = sizes.keys.sorted().compactMap { sizes[$0] }
  // Each must hold more than the one before.
  let isGrowing = zip(known, known.dropFirst()).allSatisfy { $0 < $1 }
  return sizes[1] != nil && isGrowing ? known : [32 << 10, 1 << 20, 16 << 20]
}

/// Bytes of a size as the system writes it: `32K`, `1024K`, `8M`; nil for anything else.
func parseCacheSize(_ text: String) -> Int? {
  let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
  let unit = text.last.flatMap { units[$0] }
  guard let number = Int(unit == nil ? text : String(text.dropLast())), number > 0, number < 1 << 30 else {
    return nil
  }
  return number * (unit ?? 1)
}

private func processorName() -> String {
  guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return "unknown" }
  let line = text.split(separator: "\n").first { $0.hasPrefix("model name") || $0.hasPrefix("Model") }
  return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
}
