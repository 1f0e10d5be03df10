/// What a cast does with numbers that the new type does not hold.
///
/// Whatever the mode: fractions go toward zero when the target is an integer, and to the nearest number, ties to even, when it is
/// not. A number that is too large for binary16 and wider becomes infinite, and one that is too large for float4 its largest.
/// Anything but 0 becomes true, NaN too.
public enum CastMode: UInt8, CaseIterable, Sendable {
  /// Integers keep their low bits. Fractions go to the nearest end of an integer's range, NaN to 0; for 4- and 2-bit integers they go
  /// through 64 bits, whose low ones are kept. What is beyond a float8's range becomes its largest number; ``DType/f8e8m0`` rounds up.
  case standard = 0
  /// As `standard`, but what is beyond a float8's range becomes infinite, or NaN where there is no infinity.
  case overflowing = 1
  /// The same bits, read as another type of as many.
  case bits = 2
  /// As `standard`, but integers too go to the nearest end of the range.
  case clamping = 3
  /// As `standard`, but ``DType/f8e8m0`` rounds down.
  case powerDown = 4
  /// As `standard`, but ``DType/f8e8m0`` rounds to the nearest power, ties up.
  case powerNearest = 5
  /// As `overflowing`, but ``DType/f8e8m0`` rounds down.
  case powerDownOverflowing = 6
  /// As `overflowing`, but ``DType/f8e8m0`` rounds to the nearest power, ties up.
  case powerNearestOverflowing = 7

  /// How a number becomes a power of two.
  public enum PowerRounding: Sendable {
    case up, down, nearest
  }

  public var powerRounding: PowerRounding {
    switch self {
    case .standard, .overflowing, .bits, .clamping: .up
    case .powerDown, .powerDownOverflowing: .down
    case .powerNearest, .powerNearestOverflowing: .nearest
    }
  }

  /// Whether a float8 takes its largest number for what is beyond.
  public var saturates: Bool {
    switch self {
    case .standard, .bits, .clamping, .powerDown, .powerNearest: true
    case .overflowing, .powerDownOverflowing, .powerNearestOverflowing: false
    }
  }
}
