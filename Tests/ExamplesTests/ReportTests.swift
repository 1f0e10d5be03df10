import Foundation
import NNGraph
import Testing

@testable import Examples

@Suite struct ExampleReportTests {
  @Test(arguments: ["digits-mlp", "digits-cnn", "digits-vit"])
  func examplesWriteAReportWhereTheRunAsksForOne(_ name: String) throws {
    let example = try #require(Example.named(name))
    var settings = example.settings
    settings.epochs = 1
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("nnrt-\(UUID().uuidString)").path
    defer { for file in [path, path + ".pictures"] { try? FileManager.default.removeItem(atPath: file) } }
    var said: [String] = []
    let plain = try example.train(ExampleRun(settings: settings, isQuick: true))
    let run = ExampleRun(
      settings: settings, isQuick: true, artifactFolder: path + ".pictures", reportPath: path
    ) { said.append($0) }
    let reported = try example.train(run)
    #expect(said.contains("report: \(path)"))
    let page = try String(contentsOfFile: path, encoding: .utf8)
    #expect(page.contains("<h1>\(name): ") && page.hasSuffix("</html>\n"))
    for part in ["validation", "Confusion matrix", "saliency", "t-SNE"] { #expect(page.contains(part)) }
    #expect(!page.contains("could not be made"))
    #expect(page.contains("Grad-CAM of") == (name == "digits-cnn"))
    #expect(page.contains("first layer looks for") == (name != "digits-vit"))
    let pictures = try FileManager.default.contentsOfDirectory(atPath: path + ".pictures")
    #expect(pictures.contains { $0.hasPrefix("saliency") })
    // A report changes nothing about the model.
    #expect(reported.value == plain.value)
  }
}
