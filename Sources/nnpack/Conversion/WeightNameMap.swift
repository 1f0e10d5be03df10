import Files
import NNGraph

/// What the weights of a file are called in a model: a table of names, and rules for those that are not in it.
struct WeightNameMap {
  private var table: [String: String] = [:]
  private var rules: [(pattern: Regex<AnyRegexOutput>, replacement: String)] = []

  /// - Parameter arguments: each a rule PATTERN=REPLACEMENT, or else a file of names as ``read(_:)`` takes it.
  /// - Throws: ``ErrorCode/invalidArgument`` for a pattern that is none; what reading a table throws.
  init(_ arguments: [String]) throws(NNError) {
    for argument in arguments {
      guard let position = argument.firstIndex(of: "=") else {
        try read(argument)
        continue
      }
      let (pattern, replacement) = (argument[..<position], argument[argument.index(after: position)...])
      do {
        rules.append((try Regex(String(pattern)), String(replacement)))
      } catch {
        throw NNError(
          .invalidArgument, Message(text: "--map \(argument): not a regular expression: \(error)"))
      }
    }
  }

  /// Reads lines of two names, in the file of weights and in the model, separated by a tab. Lines that begin with # are left out.
  private mutating func read(_ path: String) throws(NNError) {
    let text = try WholeFile.read(path) { (bytes) throws(NNError) in String(decoding: bytes, as: UTF8.self) }
    for (number, line) in text.lines.enumerated() {
      if line.isEmpty || line.hasPrefix("#") { continue }
      let names = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard names.count == 2, !names[0].isEmpty, !names[1].isEmpty else {
        throw NNError(
          .invalidArgument,
          Message(text: "\(path), line \(number + 1): not two names with a tab between them"))
      }
      guard table.updateValue(String(names[1]), forKey: String(names[0])) == nil else {
        throw NNError(
          .invalidArgument,
          Message(text: "\(path), line \(number + 1): \"\(names[0])\" is there a second time"))
      }
    }
  }

  /// The model's name for a weight: the table's, or else what the rules make of it one after the other.
  func callAsFunction(_ name: String) -> String {
    if let other = table[name] { return other }
    return rules.reduce(name) { name, rule in
      name.replacing(rule.pattern) { WeightNameMap.filled(rule.replacement, $0) }
    }
  }

  /// A replacement with $0 to $9 filled in: the match, and what its groups have matched.
  private static func filled(_ replacement: String, _ match: Regex<AnyRegexOutput>.Match) -> String {
    var result = ""
    var rest = replacement[...]
    while let character = rest.popFirst() {
      guard character == "$", let next = rest.first else {
        result.append(character)
        continue
      }
      if next == "$" {
        result.append("$")
        rest.removeFirst()
      } else if let group = next.wholeNumberValue, next.isASCII {
        rest.removeFirst()
        if group < match.output.count { result += match.output[group].substring ?? "" }
      } else {
        result.append(character)
      }
    }
    return result
  }
}
