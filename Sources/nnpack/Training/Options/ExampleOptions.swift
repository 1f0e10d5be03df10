import ArgumentParser
import Examples

/// Which example is trained, and how much of it.
struct ExampleOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Which network to train on which data; --list names them.", valueName: "name"))
  var example: String?

  @Flag(help: "List the examples.") var list = false

  @Flag(help: "A short run to see that the example works; the mark is not reached.") var quick = false

  @Option(
    help: ArgumentHelp(
      "Where tools/fetch-data put the data sets: build/data unless told.", valueName: "folder"))
  var data: String?

  @Option(help: ArgumentHelp("Write the example's pictures to this folder.", valueName: "folder"))
  var pictures: String?

  /// What was given and goes with an example only, as it is called.
  var given: [String] {
    [("--quick", quick), ("--data", data != nil), ("--pictures", pictures != nil)].filter { $0.1 }.map {
      $0.0
    }
  }

  func requireKnown(_ name: String) throws {
    if Example.named(name) == nil {
      let names = Example.all.map { $0.name }.joined(separator: ", ")
      throw ValidationError("no example '\(name)'; there are \(names)")
    }
  }

  /// The examples, a line each.
  var table: String {
    var table = Table(["name", "family", "about"], alignments: [.left, .left, .left])
    for example in Example.all { table.append([example.name, example.family, example.summary]) }
    return table.text
  }
}
