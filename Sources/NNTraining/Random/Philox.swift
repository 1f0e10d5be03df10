import NNGraph

/// The counter-based generator Philox4x32-10 of Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011.
///
/// Integers only, so every platform draws the same numbers. Distinct streams of one seed are independent.
public struct Philox: RandomNumberGenerator, Sendable {
  private let key: (UInt32, UInt32)
  private let stream: UInt64
  private var block: UInt64 = 0
  private var pending: UInt64?

  public init(seed: UInt64, stream: UInt64) {
    key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    self.stream = stream
  }

  /// The stream that belongs to a name: its FNV-1a hash.
  public static func stream(of name: Name) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }

  public mutating func next() -> UInt64 {
    if let second = pending {
      pending = nil
      return second
    }
    let (x0, x1, x2, x3) = Philox.block(counter: (block, stream), key: key)
    block &+= 1
    pending = UInt64(x2) | UInt64(x3) << 32
    return UInt64(x0) | UInt64(x1) << 32
  }

  /// Ten rounds on one 128-bit counter.
  static func block(
    counter: (UInt64, UInt64), key: (UInt32, UInt32)
  ) -> (UInt32, UInt32, UInt32, UInt32) {
    var x0 = UInt32(truncatingIfNeeded: counter.0)
    var x1 = UInt32(truncatingIfNeeded: counter.0 >> 32)
    var x2 = UInt32(truncatingIfNeeded: counter.1)
    var x3 = UInt32(truncatingIfNeeded: counter.1 >> 32)
    var (k0, k1) = key
    for _ in 0..<10 {
      let a = x0.multipliedFullWidth(by: 0xd251_1f53)
      let b = x2.multipliedFullWidth(by: 0xcd9e_8d57)
      (x0, x1, x2, x3) = (b.high ^ x1 ^ k0, b.low, a.high ^ x3 ^ k1, a.low)
      k0 &+= 0x9e37_79b9
      k1 &+= 0xbb67_ae85
    }
    return (x0, x1, x2, x3)
  }

  /// Uniform in [0, 1), a multiple of 2⁻⁵³.
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// Normal with mean 0 and variance 1, by Marsaglia's polar method (Marsaglia and Bray 1964).
  public mutating func normal() -> Double {
    while true {
      let u = 2 * uniform() - 1
      let v = 2 * uniform() - 1
      let s = u * u + v * v
      if s > 0, s < 1 { return u * (-2 * naturalLogarithm(s) / s).squareRoot() }
    }
  }

  /// Uniform in 0..<bound without bias (Lemire 2019); `bound` is at least 1.
  public mutating func index(below bound: Int) -> Int {
    Int.random(in: 0..<bound, using: &self)
  }
}

/// ln x for positive normal numbers, from IEEE 754 basic operations alone: the C library's may differ by platform.
///
/// x = m·2ᵉ with m in [√½, √2), and ln m = 2·artanh((m − 1)/(m + 1)) by its series, |argument| ≤ 0.1716, so that
/// the first term left out is below 2⁻⁶⁰ of the sum.
public func naturalLogarithm(_ x: Double) -> Double {
  var m = x.significand
  var e = Double(x.exponent)
  if m > 1.4142135623730951 {
    m /= 2
    e += 1
  }
  let z = (m - 1) / (m + 1)
  let square = z * z
  var sum = 0.0
  for n in stride(from: 23, through: 1, by: -2) { sum = sum * square + 1 / Double(n) }
  return e * 0.6931471805599453 + 2 * z * sum
}
