import Glibc

extension Int {
  /// `1,234,567`
  var grouped: String {
    var digits = String(magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (self < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
  }
}

extension Double {
  /// With a fixed number of decimals, whatever the locale.
  func fixed(_ decimals: Int) -> String { formatted("%.\(decimals)f") }

  /// With about `digits` significant digits and no exponent for everyday sizes.
  func significant(_ digits: Int) -> String { formatted("%.\(digits)g") }

  private func formatted(_ format: String) -> String {
    // The longest of all, the largest Double without an exponent, has 309 digits before the point.
    var text = [CChar](repeating: 0, count: 512)
    let length = withVaList([self]) { vsnprintf(&text, text.count, format, $0) }
    return String(decoding: text.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Seconds as `m:ss`, or `h:mm:ss` from an hour on.
  var clock: String {
    guard isFinite, self >= 0, self < 1e9 else { return "?" }
    let seconds = Int(rounded(.up))
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
    func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let tail = twoDigits(seconds % 60)
    return hours > 0 ? "\(hours):\(twoDigits(minutes)):\(tail)" : "\(minutes):\(tail)"
  }

  /// A rate with a unit prefix: `950`, `15.3k`, `2.1M`.
  var short: String {
    switch self {
    case 1e9...: (self / 1e9).fixed(1) + "G"
    case 1e6...: (self / 1e6).fixed(1) + "M"
    case 1e4...: (self / 1e3).fixed(1) + "k"
    default: fixed(0)
    }
  }
}
