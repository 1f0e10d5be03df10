import Glibc

/// The numbers along an axis of a chart: from where to where, and which are marked.
struct ChartScale {
  let low: Double
  let high: Double
  let ticks: [Double]
  let isLogarithmic: Bool

  /// A scale over the finite ones of some numbers, a little more at both ends.
  ///
  /// - Parameters:
  ///   - includesZero: whether the scale goes from or to 0, as bars need it.
  ///   - isTight: whether it ends where the numbers do.
  init(over values: [Double], includesZero: Bool = false, isTight: Bool = false) {
    // Far out, differences of numbers overflow.
    let finite = values.filter { $0.isFinite }.map { min(max($0, -1e300), 1e300) }
    var low = finite.min() ?? 0
    var high = finite.max() ?? 1
    if includesZero { (low, high) = (min(low, 0), max(high, 0)) }
    if !(high - low > max(low.magnitude, high.magnitude) * 1e-12 + 1e-300) {
      let room = max(low.magnitude * 0.1, low == 0 ? 1 : 1e-300)
      (low, high) = (low - room, high + room)
    } else if !isTight {
      let room = (high - low) * 0.04
      if !(includesZero && low == 0) { low -= room }
      if !(includesZero && high == 0) { high += room }
    }
    self.low = low
    self.high = high
    isLogarithmic = false
    ticks = ChartScale.niceTicks(low, high)
  }

  /// A scale of whole decades over the finite and positive ones of some numbers.
  init(logarithmicOver values: [Double]) {
    let exponents = values.filter { $0.isFinite && $0 > 0 }.map { log10($0) }
    let first = (exponents.min() ?? 0).rounded(.down)
    let last = max((exponents.max() ?? 1).rounded(.up), first + 1)
    low = first
    high = last
    isLogarithmic = true
    let step = max(((last - first) / 6).rounded(.up), 1)
    ticks = Array(stride(from: first, through: last, by: step))
  }

  /// Where a number lies: 0 at the low end, 1 at the high one; nil if it has no place.
  func position(_ value: Double) -> Double? {
    let scaled = isLogarithmic ? (value > 0 ? log10(value) : .nan) : value
    guard scaled.isFinite else { return nil }
    let part = (min(max(scaled, -1e300), 1e300) - low) / (high - low)
    return part.isFinite ? min(max(part, -1), 2) : nil
  }

  /// The ticks with their places and texts.
  var marks: [(position: Double, label: String)] {
    ticks.map { tick in
      let label = isLogarithmic ? NumberText.powerOfTen(Int(tick)) : NumberText.short(tick, digits: 5)
      return ((tick - low) / (high - low), label)
    }
  }

  /// About five multiples of 1, 2 or 5 times a power of ten.
  private static func niceTicks(_ low: Double, _ high: Double) -> [Double] {
    let raw = (high - low) / 5
    let power = pow(10, floor(log10(raw)))
    guard raw > 0, power > 0, power.isFinite else { return [low, high] }
    let factor = raw / power
    let step = power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10)
    let first = (low / step).rounded(.up)
    var ticks: [Double] = []
    for index in 0..<12 {
      let tick = (first + Double(index)) * step
      if tick > high + step * 1e-9 { break }
      ticks.append(tick)
    }
    return ticks
  }
}
