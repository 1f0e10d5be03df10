/// What someone may have meant.
enum Spelling {
  /// The name that differs from `word` by the fewest letters; nil if all differ by more than a third of them.
  static func nearest(_ word: String, among names: [String]) -> String? {
    let letters = Array(word.lowercased().prefix(64).utf8)
    let ranked = names.map { ($0, distance(letters, Array($0.utf8))) }
    guard let best = ranked.min(by: { $0.1 < $1.1 }), best.1 <= max(letters.count, best.0.utf8.count) / 3
    else { return nil }
    return best.0
  }

  /// `is unknown, did you mean "kernel"? There are …`
  static func complaint(_ word: String, _ what: String, among names: [String]) -> String {
    let question = nearest(word, among: names).map { "; did you mean \"\($0)\"?" } ?? ";"
    return "unknown \(what) \"\(word.prefix(64))\"\(question) There are \(names.joined(separator: ", "))"
  }

  /// Letters to insert, delete, exchange or swap with their neighbour. Damerau 1964, each place edited once.
  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var rows = [[Int](), [Int](), Array(0...b.count)]
    for (i, letter) in a.enumerated() {
      var row = [i + 1]
      for (j, other) in b.enumerated() {
        var best = min(rows[2][j + 1], row[j]) + 1
        best = min(best, rows[2][j] + (letter == other ? 0 : 1))
        if i > 0, j > 0, letter == b[j - 1], a[i - 1] == other { best = min(best, rows[1][j - 1] + 1) }
        row.append(best)
      }
      rows = [rows[1], rows[2], row]
    }
    return rows[2][b.count]
  }
}
