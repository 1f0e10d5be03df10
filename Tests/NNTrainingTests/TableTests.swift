import NNGraph
import Testing

@testable import NNTraining

@Suite struct TableTests {
  private func samples(
    _ text: String, target: String, as kind: TabularData.Target = .automatic, categorical: [String] = [],
    missing: MissingValues = .error
  ) throws -> TabularData {
    try CSVTable(text: text, name: "data.csv").samples(
      target: target, as: kind, categorical: categorical, missing: missing)
  }

  @Test func quotedFieldsHoldSeparatorsQuotesAndLineBreaks() throws {
    let table = try CSVTable(text: "a,b\r\n\"x, \"\"y\"\"\n\",2\r\n\r\n3,4")
    #expect(table.header == ["a", "b"] && table.rows == [["x, \"y\"\n", "2"], ["3", "4"]])
  }

  @Test func categoriesBecomeColumnsAndClassesAreNumberedByName() throws {
    let data = try samples("size,colour,kind\n1,red,b\n2,blue,a\n3,red,b\n", target: "kind")
    #expect(data.featureNames == ["size", "colour=blue", "colour=red"] && data.classNames == ["a", "b"])
    #expect(data.dataset.features == [1, 0, 1, 2, 1, 0, 3, 0, 1])
    #expect(data.dataset.targets == .classes([1, 0, 1]))
  }

  @Test func numbersAreValuesUnlessTheyAreFewWholeOnes() throws {
    #expect(
      try samples("x,y\n1,0.5\n2,1.5\n", target: "y").dataset.targets == .values([0.5, 1.5], shape: [1]))
    #expect(try samples("x,y\n1,7\n2,10\n3,7\n", target: "y").dataset.targets == .classes([0, 1, 0]))
    #expect(
      try samples("x,y\n1,7\n2,10\n", target: "y", as: .values).dataset.targets
        == .values([7, 10], shape: [1]))
  }

  @Test func missingValuesFollowThePolicy() throws {
    let text = "x,y\n1,0.5\n,1.5\n5,2.5\n"
    #expect(try samples(text, target: "y", missing: .dropRow).dataset.features == [1, 5])
    #expect(try samples(text, target: "y", missing: .mean).dataset.features == [1, 3, 5])
    #expect(try samples(text, target: "y", missing: .constant(-1)).dataset.features == [1, -1, 5])
  }

  @Test func mistakesNameFileLineAndColumn() throws {
    let cases: [(text: String, target: String, part: String)] = [
      ("x,y\n1,0.5\n,1.5\n", "y", "data.csv:3:1 (\"x\"): the value is missing"),
      ("x,y\n1,0.5\n2,1.5\noops,2.5\n", "y", "data.csv:4:1 (\"x\"): \"oops\" is no number"),
      ("x,y\n1,0.5\n2\n", "y", "data.csv:3: 1 fields, the first row has 2"),
      ("x,y\n1,\"0.5\n", "y", "data.csv:2: a quote is not closed"),
      ("x,x\n1,2\n", "x", "two columns are called \"x\""),
      ("x,y\n1,2\n", "z", "no column \"z\"; there are x, y"),
      ("", "y", "no rows"),
    ]
    for (text, target, part) in cases {
      let error = #expect(throws: NNError.self) { try samples(text, target: target) }
      #expect(error?.message.contains(part) == true, "\(error?.message ?? "") lacks \(part)")
    }
  }

  @Test func damagedIDXFilesAreRefused() throws {
    try withTemporaryPath { path in
      let good: [UInt8] = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 7, 9]
      try WholeFileForTests.write(good, path)
      #expect(try IDXFile.read(path).elements == [7, 9])
      for count in 0..<good.count {
        try WholeFileForTests.write(Array(good.prefix(count)), path)
        #expect(throws: NNError.self) { try IDXFile.read(path) }
      }
      try WholeFileForTests.write([0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255, 7], path)
      #expect(throws: NNError.self) { try IDXFile.read(path) }
    }
  }

  @Test func windowsOfTextAreFollowedByWhatComesNext() throws {
    let corpus = TextCorpus(bytes: Array("abcab".utf8))
    let data = try corpus.windows(of: 2, in: 0..<5, stride: 2)
    #expect(data.tokens == [0, 1, 2, 0] && data.targets == .positions([1, 2, 0, 1], shape: [2]))
    #expect(corpus.text([2, 0, 9]) == "ca?")
    #expect(throws: NNError.self) { try corpus.windows(of: 5, in: 0..<5, stride: 1) }
  }

  @Test func principalComponentsOfALineAreTheLine() throws {
    let samples = (0..<20).flatMap { (index: Int) -> [Float] in [Float(index), Float(2 * index + 1), 0.5] }
    let pca = try PCA(samples, width: 3, components: 2)
    #expect(pca.variances[1] < 1e-9 && (pca.components[0][1] / pca.components[0][0] - 2).magnitude < 1e-9)
    let back = pca.inverseTransform(pca.transform(samples))
    #expect(zip(back, samples).allSatisfy { ($0 - $1).magnitude < 1e-4 })
  }
}
