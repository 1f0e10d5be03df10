import ArgumentParser
import Examples
import NNGraph

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a network and writes it as a .nnrt file.",
    discussion: """
      Part of the data is held out: training never sees it, and the result on it ends the output. On a terminal a bar shows \
      loss, accuracy, samples per second and time left; otherwise there is a line per epoch. The same seed gives the same \
      file again.

      From data, whether classes or numbers are to be told, loss and model follow unless you say them. What standardises \
      the features is part of the file, which takes raw ones. An example is a network and its data, with a mark that the \
      result must reach.

      EXAMPLE:
        nnpack train wine.csv --target grower --output wine.nnrt
        nnpack train wine.csv --target grower --hidden 32,16 --schedule one-cycle
        nnpack train --images train-images --labels train-labels --model resnet
        nnpack train arrays.npz --model model.json --checkpoint last --resume
        nnpack train --list
        nnpack train --example digits-mlp --output digits.nnrt
      """)

  @OptionGroup(title: "Data") var data: DataOptions
  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Optimisation") var optimization: OptimizationOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Examples") var examples: ExampleOptions

  func validate() throws {
    if examples.list { return }
    if let example = examples.example {
      try examples.requireKnown(example)
      let given = data.given + model.given + optimization.givenForData + output.givenForData
      if let first = given.first {
        throw ValidationError("\(first) does not go with --example, which has data and a network of its own")
      }
      if let first = Example.named(example).flatMap({ output.notGiven(by: $0).first }) {
        throw ValidationError("\(first) does not go with --example \(example), whose training gives none")
      }
    } else {
      guard data.hasSource else {
        throw ValidationError(
          "give a CSV file, a .npz file, --images and --labels, or --example NAME (--list names them)")
      }
      if let first = examples.given.first { throw ValidationError("\(first) goes with --example only") }
      try data.requireWhole()
    }
  }

  func run() throws {
    if examples.list {
      print(examples.table)
    } else if let example = examples.example.flatMap({ Example.named($0) }) {
      try ExampleTraining(options: examples, optimization: optimization, output: output).run(example)
    } else {
      try DataTraining(data: data, model: model, optimization: optimization, output: output).run()
    }
  }
}
