import Glibc

/// Numbers as people read them, without a locale.
enum NumberText {
  /// About `digits` significant digits: `0.0123`, `12,345`, `1.2e-7`; `NaN` and `∞` for what is not finite.
  static func short(_ value: Double, digits: Int = 4) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value > 0 ? "∞" : "−∞" }
    guard value != 0 else { return "0" }
    let exponent = Int(floor(log10(value.magnitude)))
    let sign = value < 0 ? "−" : ""
    guard exponent >= -4, exponent < 9 else {
      let scale = pow(10, Double(exponent))
      guard scale > 0, scale.isFinite else { return sign + "\(value.magnitude)" }
      return sign + fixed(value.magnitude / scale, decimals: max(digits - 1, 0)) + "e\(exponent)"
    }
    return sign + fixed(value.magnitude, decimals: max(digits - 1 - exponent, 0))
  }

  /// A count with commas: `1,234,567`.
  static func grouped(_ count: Int) -> String {
    var digits = Substring(String(count.magnitude))
    var groups: [Substring] = []
    while digits.count > 3 {
      groups.insert(digits.suffix(3), at: 0)
      digits = digits.dropLast(3)
    }
    return (count < 0 ? "−" : "") + ([digits] + groups).joined(separator: ",")
  }

  /// A coordinate of a drawing, to a hundredth; 0 for what is not finite.
  static func coordinate(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    return trimmed((min(max(value, -1e6), 1e6) * 100).rounded() / 100)
  }

  /// A power of ten: `10⁻³`.
  static func powerOfTen(_ exponent: Int) -> String {
    let digits = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"]
    let text = String(exponent.magnitude).compactMap { $0.wholeNumberValue }.map { digits[$0] }.joined()
    return "10" + (exponent < 0 ? "⁻" : "") + text
  }

  /// Rounded to some decimals, without zeros at the end. `value` is less than 10⁹ and not negative.
  private static func fixed(_ value: Double, decimals: Int) -> String {
    let scale = pow(10, Double(min(decimals, 12)))
    let rounded = (value * scale).rounded() / scale
    guard rounded >= 10_000, decimals == 0 else { return trimmed(rounded) }
    return grouped(Int(rounded))
  }

  private static func trimmed(_ value: Double) -> String {
    let text = "\(value == 0 ? 0 : value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
