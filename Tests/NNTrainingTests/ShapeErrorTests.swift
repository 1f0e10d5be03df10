import NNGraph
import NNTraining
import Testing

/// A layer of one's own, which takes pairs and multiplies by a parameter of another width.
private struct Pairing: Layer {
  let width: Int

  func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try Dense(4)(x) * x.trace.parameter("scale", [width], initializer: .ones)
  }
}

/// A layer of one's own that calls others.
private struct Wrapping: Layer {
  func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try Sequential {
      Dense(6)
      MaxPool2D(2)
    }(x)
  }
}

/// Whatever a model is composed of, a shape that does not fit is an error that names the line on which the layer stands, the layer,
/// and both shapes.
@Suite struct ShapeErrorTests {
  private func message(_ model: any Layer) -> String {
    do throws(NNError) {
      _ = try Trainer(model, sampleShape: [5], loss: .meanSquaredError, optimizer: SGD(), seed: 1)
      return "no error"
    } catch {
      return error.message
    }
  }

  private func expect(
    _ model: any Layer, line: Int, _ parts: String..., at location: SourceLocation = #_sourceLocation
  ) {
    let message = message(model)
    #expect(
      message.hasPrefix("line \(line) of NNTrainingTests/ShapeErrorTests.swift: "), "\(message)",
      sourceLocation: location)
    for part in parts { #expect(message.contains(part), "\(message)", sourceLocation: location) }
  }

  @Test func normalizationWithImpossibleNumbersIsNamed() {
    let flat: [any Layer] = [BatchNorm(momentum: 5), RMSNorm(epsilon: .nan), GroupNorm(1, epsilon: -3)]
    for (layer, expected) in zip(flat, ["a momentum of 5.0", "an epsilon of nan", "an epsilon of -3.0"]) {
      #expect(message(Sequential([layer])).contains(expected))
    }
  }

  @Test func inASequence() {
    let line = #line
    let model = Sequential {
      Dense(3)
      Conv2D(2, kernelSize: 3)
    }
    expect(model, line: line + 3, "layer \"conv2d_1\" (input (N, 3)): takes (N, C, H, W), not (N, 3)")
  }

  @Test func inNestedSequences() {
    let line = #line
    let model = Sequential {
      Sequential {
        for _ in 0..<2 { Dense(3) }
        if line > 0 { LSTM(4) }
      }
    }
    expect(model, line: line + 4, "layer \"lstm_1\" (input (N, 3)): takes (N, T, F), not (N, 3)")
  }

  @Test func inTheBodyOfAResidual() {
    let line = #line
    let model = Sequential {
      Residual {
        Dense(3)
        GlobalAveragePool2D()
      }
    }
    expect(
      model, line: line + 4, "layer \"globalaveragepool2d_1\" (input (N, 3)): takes (N, C, H, W), not (N, 3)")
  }

  @Test func inTheShortcutOfAResidual() {
    let line = #line
    let model = Sequential {
      Residual {
        Dense(5)
      } shortcut: {
        Reshape(2, 3)
      }
    }
    expect(model, line: line + 5, "layer \"reshape_1\" (input (N, 5)): ", "shape (5) cannot become (2, 3)")
  }

  @Test func betweenBodyAndShortcut() {
    let line = #line
    let model = Sequential {
      Dense(8)
      Residual { Dense(7) }
    }
    expect(
      model, line: line + 3, "residual: the body makes (N, 7) of (N, 8), which cannot be added to (N, 8)")
  }

  @Test func inABranch() {
    let line = #line
    let model = Sequential {
      Parallel {
        Dense(3)
        Sequential {
          Dense(4)
          GroupNorm(3)
        }
      }
    }
    expect(
      model, line: line + 6, "layer \"groupnorm_1\" (input (N, 4)): 4 channels do not split into 3 groups")
  }

  @Test func betweenBranches() {
    let line = #line
    let model = Sequential {
      Parallel(axis: 1) {
        Dense(3)
        Reshape(5, 1)
      }
    }
    expect(model, line: line + 2, "(N, 3) and (N, 5, 1)")
  }

  @Test func inANetwork() {
    let line = #line
    let model = Sequential {
      Network("body") {
        Dense(3)
        Network("deep") { MultiHeadAttention(heads: 2) }
      }
    }
    expect(
      model, line: line + 4, "layer \"body.deep.attention_1\" (input (N, 3)): takes (N, T, D), not (N, 3)")
  }

  @Test func inALayerOfOnesOwn() {
    let line = #line
    let model = Sequential {
      Dense(2)
      Pairing(width: 3)
    }
    expect(model, line: line + 3, "layer \"pairing_1\" (input (N, 2)): ", "(N, 4) and (3)")
  }

  @Test func inALayerThatALayerOfOnesOwnCalls() {
    let line = #line
    // Both lines: that of the layer in the model, and the one within it.
    expect(
      Sequential { Wrapping() }, line: line + 3,
      "layer \"wrapping_1\" (input (N, 5)): line 19 of NNTrainingTests/ShapeErrorTests.swift: ",
      "layer \"maxpool2d_1\" (input (N, 6)): takes (N, C, H, W), not (N, 6)")
  }

  @Test func withoutABuilderTheLayerIsNamed() {
    let text = message(Sequential([Dense(3), Conv1D(2, kernelSize: 3)]))
    #expect(text.hasPrefix("layer \"conv1d_1\" (input (N, 3)): takes (N, C, T), not (N, 3)"), "\(text)")
  }

  @Test func betweenModelAndLoss() {
    let text = message(Sequential { Reshape(5, 1) })
    #expect(text == "no error")
    let error = #expect(throws: NNError.self) {
      try Trainer(Dense(3), sampleShape: [5], loss: CTC(labels: 2), optimizer: SGD(), seed: 1)
    }
    #expect(
      error!.message.contains("predictions (N, T, C)") && error!.message.contains("3"), "\(error!.message)")
  }

  @Test func betweenModelAndData() throws {
    let trainer = try Trainer(Dense(3), sampleShape: [5], loss: .meanSquaredError, optimizer: SGD(), seed: 1)
    let samples = try Dataset(
      features: [1, 2, 3, 4], sampleShape: [4], targets: .values([1, 2, 3], shape: [3]))
    let error = #expect(throws: NNError.self) { try trainer.fit(samples, epochs: 1) }
    #expect(error?.message == "samples have shape (4), the model takes (5)")
    let targets = try Dataset(
      features: [1, 2, 3, 4, 5], sampleShape: [5], targets: .values([1, 2], shape: [2]))
    let other = #expect(throws: NNError.self) { try trainer.fit(targets, epochs: 1) }
    #expect(other!.message.contains("(2)") && other!.message.contains("(3)"), "\(other!.message)")
  }
}
