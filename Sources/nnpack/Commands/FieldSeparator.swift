import ArgumentParser

/// What stands between the fields of a table, as an argument.
struct FieldSeparator: ExpressibleByArgument {
  let character: Character

  init?(argument: String) {
    switch argument {
    case "tab", "\\t": character = "\t"
    default:
      guard let first = argument.first, argument.count == 1, first.isASCII else { return nil }
      character = first
    }
  }
}
