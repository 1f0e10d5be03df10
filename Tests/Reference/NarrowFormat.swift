import Foundation
import NNGraph

/// A floating-point type of 8 or 4 bits by its list of numbers; rounding is a search through the list.
public struct NarrowFormat: Sendable {
  /// The number of every code.
  private let numbers: [Double]
  private let dtype: DType
  /// What the next code after the largest finite magnitude would stand for.
  private let beyond: Double

  public init(_ dtype: DType) {
    self.dtype = dtype
    let (exponentBits, mantissaBits, bias): (Int, Int, Int)
    switch dtype {
    case .f8e4m3fn: (exponentBits, mantissaBits, bias, beyond) = (4, 3, 7, 480)
    case .f8e4m3fnuz: (exponentBits, mantissaBits, bias, beyond) = (4, 3, 8, 256)
    case .f8e5m2: (exponentBits, mantissaBits, bias, beyond) = (5, 2, 15, 65536)
    case .f8e5m2fnuz: (exponentBits, mantissaBits, bias, beyond) = (5, 2, 16, 65536)
    case .f4e2m1: (exponentBits, mantissaBits, bias, beyond) = (2, 1, 1, 8)
    case .f8e8m0: (exponentBits, mantissaBits, bias, beyond) = (8, 0, 127, 0x1p128)
    default: preconditionFailure("\(dtype) is not a narrow floating-point type")
    }
    numbers = (0..<256).map { code in
      if dtype == .f8e8m0 { return code == 255 ? .nan : pow(2, Double(code - 127)) }
      let sign = code >> (exponentBits + mantissaBits) & 1 == 1 ? -1.0 : 1.0
      let exponent = code >> mantissaBits & (1 << exponentBits - 1)
      let mantissa = Double(code & (1 << mantissaBits - 1)) / Double(1 << mantissaBits)
      if dtype == .f8e4m3fn, code & 127 == 127 { return .nan }
      if dtype == .f8e5m2, exponent == 31 { return mantissa == 0 ? sign * .infinity : .nan }
      if dtype == .f8e4m3fnuz || dtype == .f8e5m2fnuz, code == 128 { return .nan }
      if exponent == 0 { return sign * mantissa * pow(2, Double(1 - bias)) }
      return sign * (1 + mantissa) * pow(2, Double(exponent - bias))
    }
  }

  public func number(_ code: UInt8) -> Double { numbers[Int(code)] }

  public func code(_ value: Double, saturates: Bool, _ rounding: CastMode.PowerRounding = .up) -> UInt8 {
    if dtype == .f8e8m0 { return power(value, saturates: saturates, rounding) }
    let bits: UInt8 = dtype == .f4e2m1 ? 8 : 128
    let isUnsignedZero = dtype == .f8e4m3fnuz || dtype == .f8e5m2fnuz
    let nan: UInt8 = dtype == .f4e2m1 ? 0 : isUnsignedZero ? 128 : dtype == .f8e5m2 ? 126 : 127
    let sign: UInt8 = value.sign == .minus ? bits : 0
    if value.isNaN { return dtype == .f4e2m1 || isUnsignedZero ? nan : nan | sign }
    let finite = (0..<Int(bits)).filter { numbers[$0].isFinite }
    var best = 0
    var distance = Double.infinity
    for code in finite {
      let error = abs(numbers[code] - value.magnitude)
      if error < distance || (error == distance && code % 2 == 0) { (best, distance) = (code, error) }
    }
    let overflowError = abs(beyond - value.magnitude)
    let isBeyond =
      value.magnitude >= beyond || overflowError < distance || (overflowError == distance && best % 2 == 1)
    if isBeyond {
      if saturates || dtype == .f4e2m1 { return UInt8(finite.last!) | sign }
      return isUnsignedZero ? 128 : (dtype == .f8e5m2 ? 124 : 127) | sign
    }
    return best == 0 && isUnsignedZero ? 0 : UInt8(best) | sign
  }

  private func power(_ value: Double, saturates: Bool, _ rounding: CastMode.PowerRounding) -> UInt8 {
    if value.isNaN || value < 0 { return 255 }
    if value == 0 { return saturates ? 0 : 255 }
    if value == .infinity { return saturates ? 254 : 255 }
    var exponent = Int(floor(log2(value)))
    let below = pow(2, Double(exponent))
    precondition(below <= value && value < 2 * below)
    switch rounding {
    case .up: if value > below { exponent += 1 }
    case .down: break
    case .nearest: if value - below >= 2 * below - value { exponent += 1 }
    }
    if exponent < -127 { return saturates ? 0 : 255 }
    if exponent > 127 { return saturates ? 254 : 255 }
    return UInt8(exponent + 127)
  }
}
