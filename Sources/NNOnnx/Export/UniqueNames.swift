/// Names of values and nodes, of which no two in a model are the same, its bodies included.
final class UniqueNames {
  private var taken: Set<String> = []
  /// The number that the next variant of a name gets.
  private var numbers: [String: Int] = [:]

  /// `wish` if it is free and not empty, else a variant of it.
  func take(_ wish: String) -> String {
    let base = wish.isEmpty ? "value" : wish
    if taken.insert(base).inserted { return base }
    var number = numbers[base] ?? 1
    while !taken.insert("\(base)_\(number)").inserted { number += 1 }
    numbers[base] = number + 1
    return "\(base)_\(number)"
  }
}
