import Foundation
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

  @Test func gapsAndCategoriesFollowFromTheSamplesThatAreFitted() throws {
    let table = try CSVTable(text: "x , town,y\n1,Rome,0.5\n,Rome,1.5\n5,Paris,2.5\n", name: "data.csv")
    #expect(table.header == ["x", "town", "y"])
    let data = try table.samples(target: "y", missing: .mean, fittedOn: [0, 1])
    #expect(data.featureNames == ["x", "town=Rome"])
    // The gap has the mean of the first two rows; Paris is none of their towns.
    #expect(data.dataset.features == [1, 1, 1, 1, 5, 0])
    #expect(throws: NNError.self) { try table.samples(target: "y", missing: .mean, fittedOn: [3]) }
  }

  @Test func encodingsGoThroughTheirText() throws {
    let text = "x,town,y\n1,Rome,0.5\n,\"Bad \"\"A\"\"\",1.5\n5,,2.5\n"
    for missing in [MissingValues.mean, .mostFrequent, .constant(0.1)] {
      let data = try samples(text, target: "y", missing: missing)
      let again = try TableEncoding(json: data.encoding.json.line)
      #expect(again.featureNames == data.featureNames)
      let table = try CSVTable(text: "town,x\nRome,2\n,\n", name: "new.csv")
      #expect(try table.features(as: again) == table.features(as: data.encoding), "\(missing)")
    }
    let strict = try TableEncoding(
      json: samples("x,town,y\n1,Rome,0.5\n", target: "y").encoding.json.line)
    let gap = try CSVTable(text: "x,town\n1,\n", name: "new.csv")
    #expect(throws: NNError.self) { try gap.features(as: strict) }
    for damaged in [
      "", "{}", "[1]", #"{"columns": 1}"#, #"{"columns": [{"missing": 1}]}"#, #"{"columns": [1]}"#,
    ] {
      #expect(throws: NNError.self) { try TableEncoding(json: damaged) }
    }
  }

  @Test func columnsOfTooManyCategoriesAreRefused() throws {
    let text = "name,y\n" + (0...4096).map { "n\($0),\($0 % 2).5\n" }.joined()
    let error = #expect(throws: NNError.self) { try samples(text, target: "y") }
    #expect(error?.code == .limitExceeded && error?.message.contains("column \"name\" has 4097") == true)
  }

  @Test func otherRowsAreTakenAsTheFirstOnes() throws {
    let training = try samples(
      "age,town,kind\n20,Rome,b\n,Oslo,a\n40,Rome,a\n30,,b\n", target: "kind", missing: .mean)
    #expect(training.featureNames == ["age", "town=Oslo", "town=Rome"])
    let held = try CSVTable(text: "kind,town,age\na,Rome,\nb,Oslo,7\n", name: "new.csv")
    let encoded = try held.samples(as: training.encoding)
    // The gap is filled by the mean of the first table, not of this one.
    #expect(encoded.dataset.features == [30, 0, 1, 7, 1, 0])
    #expect(encoded.dataset.targets == .classes([0, 1]) && encoded.classNames == ["a", "b"])
    let alone = try CSVTable(text: "town,age\nRome,1\n,2\n").features(as: training.encoding)
    #expect(alone == [1, 0, 1, 2, 0, 0])
    let cases: [(text: String, part: String)] = [
      (
        "kind,town,age\na,Paris,1\n", "new.csv:2:2 (\"town\"): \"Paris\" is none of the categories Oslo, Rome"
      ),
      ("kind,town,age\nc,Rome,1\n", "new.csv:2:1 (\"kind\"): \"c\" is none of the classes a, b"),
      ("kind,town\na,Rome\n", "no column \"age\""),
    ]
    for (text, part) in cases {
      let error = #expect(throws: NNError.self) {
        try CSVTable(text: text, name: "new.csv").samples(as: training.encoding)
      }
      #expect(error?.message.contains(part) == true, "\(error?.message ?? "") lacks \(part)")
    }
    let strict = try samples("x,c,y\n1,u,0.5\n2,v,1.5\n", target: "y")
    for text in ["x,c\n,u\n", "x,c\n1,\n"] {
      let error = #expect(throws: NNError.self) { try CSVTable(text: text).features(as: strict.encoding) }
      #expect(error?.message.contains("the value is missing") == true)
    }
  }

  @Test func mediansAndMostFrequentValuesFillGaps() throws {
    let text = "x,c,y\n1,u,0.5\n,u,1.5\n9,v,2.5\n2,,3.5\n2,v,4.5\n100,w,5.5\n"
    let median = try samples(text, target: "y", missing: .median).dataset.features
    #expect(stride(from: 0, to: 24, by: 4).map { median[$0] } == [1, 2, 9, 2, 2, 100])
    #expect(Array(median[13..<16]) == [0, 0, 0])
    let frequent = try samples(text, target: "y", missing: .mostFrequent).dataset.features
    #expect(frequent[4] == 2)
    // Of u and v, both there twice, the first.
    #expect(Array(frequent[13..<16]) == [1, 0, 0])
    #expect(
      try samples("x,y\n1,0.5\n,1.5\n4,2.5\n", target: "y", missing: .median).dataset.features == [1, 2.5, 4])
  }

  @Test func wholeNumbersAreTheSameCategoryHoweverTheyAreWritten() throws {
    let data = try samples("c,y\n07,0.5\n7,1.5\n10,2.5\n", target: "y", categorical: ["c"])
    #expect(data.featureNames == ["c=7", "c=10"] && data.dataset.features == [1, 0, 1, 0, 0, 1])
  }

  @Test func separatorsFollowTheFilesName() throws {
    #expect(try CSVTable(text: "a\tb,c\n1\t2\n", name: "data.TSV").header == ["a", "b,c"])
    #expect(try CSVTable(text: "a;b\n1;\"2;3\"\n", separator: ";").rows == [["1", "2;3"]])
    #expect(try CSVTable(text: "a\tb\n", name: "data.csv").header == ["a\tb"])
    #expect(try CSVTable(text: "a b\n1 2\n", name: "data.tsv", separator: " ").rows == [["1", "2"]])
    for separator in ["\"", "\n", "é", "\r"] as [Character] {
      #expect(throws: NNError.self) { try CSVTable(text: "a", separator: separator) }
    }
    try withTemporaryPath { path in
      try WholeFileForTests.write(Array("a\tb\n1\t2\n3\n".utf8), path + ".tsv")
      defer { unlink(path + ".tsv") }
      let error = #expect(throws: NNError.self) { try CSVTable(path: path + ".tsv") }
      #expect(error?.message.contains(".tsv:3: 1 fields, the first row has 2") == true)
    }
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

  @Test func everyKindOfLineBreakCountsAsOne() throws {
    for end in ["\n", "\r", "\r\n"] {
      let text = ["x,y", "\"a", "b\",1", "\"c", "", "d\",2", "3", ""].joined(separator: end)
      let error = #expect(throws: NNError.self) { try CSVTable(text: text, name: "data.csv") }
      #expect(error?.message == "data.csv:7: 1 fields, the first row has 2", "\(error?.message ?? "")")
    }
    try withTemporaryPath { path in
      try WholeFileForTests.write(Array("x,y\n1,2\n\"a\nb\n".utf8) + [0xFF] + Array("\",1\n".utf8), path)
      let error = #expect(throws: NNError.self) { try CSVTable(path: path) }
      #expect(error?.message.hasSuffix(":3: not UTF-8") == true, "\(error?.message ?? "")")
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
    let back = try pca.inverseTransform(pca.transform(samples))
    #expect(throws: NNError.self) { try pca.transform(Array(samples.dropLast())) }
    #expect(throws: NNError.self) { try pca.inverseTransform([1, 2, 3]) }
    #expect(zip(back, samples).allSatisfy { ($0 - $1).magnitude < 1e-4 })
  }
}
