/// A piece of XML that is well formed: elements and escaped text. HTML that is also XML, and SVG, are made of it.
struct Markup {
  private(set) var source: String

  private init(source: String) {
    self.source = source
  }

  /// Text, with everything that could be taken for markup escaped and what XML does not allow left out.
  init(_ text: String) {
    source = Markup.escape(text)
  }

  /// Pieces one after the other.
  init(_ pieces: [Markup]) {
    source = pieces.map { $0.source }.joined()
  }

  static func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], _ children: [Markup] = []
  ) -> Markup {
    var source = "<\(name)"
    for (key, value) in attributes { source += " \(key)=\"\(escape(value))\"" }
    if children.isEmpty, !needsEnd("\(name)") { return Markup(source: source + "/>") }
    source += ">"
    for child in children { source += child.source }
    return Markup(source: source + "</\(name)>")
  }

  /// An element that holds text.
  static func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], _ text: String
  ) -> Markup {
    element(name, attributes, [Markup(text)])
  }

  /// A style sheet. It must hold nothing that is markup, which only this module's constants do.
  static func style(_ sheet: StaticString) -> Markup { Markup(source: "<style>\(sheet)</style>") }

  /// A whole HTML document.
  static func document(_ root: Markup) -> String { "<!DOCTYPE html>\n" + root.source + "\n" }

  /// HTML reads `<p/>` as a beginning: only its void elements and SVG's shapes may end at once.
  private static func needsEnd(_ name: String) -> Bool {
    !["meta", "img", "br", "hr", "line", "path", "rect", "circle", "polyline", "stop", "col"].contains(name)
  }

  static func escape(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
      default:
        // Control characters and non-characters are no part of XML 1.0, section 2.2.
        let isAllowed = scalar.value >= 0x20 && scalar.value != 0x7F && scalar.value & 0xFFFE != 0xFFFE
        result.unicodeScalars.append(isAllowed ? scalar : "\u{FFFD}")
      }
    }
    return result
  }
}
