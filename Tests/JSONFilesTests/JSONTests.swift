import Foundation
import NNGraph
import Testing

import JSONFiles

private func fault(_ text: String) -> String? {
  do throws(NNError) {
    _ = try JSONParser.parse(Array(text.utf8))
    return nil
  } catch {
    return error.message
  }
}

@Suite struct JSONTests {
  @Test func everyKindOfValueIsRead() throws {
    let text = #" {"a": [1, -2.5e2, 0.125, true, false, null], "b": {}, "c": "x\"\\\/\b\f\n\r\té😀\u00e9"} "#
    let expected: JSONValue = [
      "a": [1, -250, 0.125, true, false, .null], "b": [:], "c": "x\"\\/\u{8}\u{c}\n\r\té😀é",
    ]
    #expect(try JSONParser.parse(Array(text.utf8)) == expected)
    // What is written is read again.
    #expect(try JSONParser.parse(Array(expected.text.utf8)) == expected)
    #expect(try JSONParser.parse(Array("\u{FEFF}[]".utf8)) == [])
    #expect(try JSONParser.parse(Array(#""\ud83d\ude00""#.utf8)) == "😀")
  }

  @Test func whatIsNoJSONIsRefusedWithLineAndColumn() {
    let cases = [
      ("", "1:1: "), ("[1,]", "1:4: "), ("[1 2]", "1:4: "), ("{\"a\": 1,\n  b: 2}", "2:3: a key"),
      ("{\"a\" 1}", "1:6: a colon"), ("[1]x", "1:4: something follows"), ("[01]", "1:2: this is no number"),
      ("[1.]", "1:2: "), ("[-]", "1:2: "), ("[1e]", "1:2: "), ("[1e999]", "1:2: "), ("[.5]", "1:2: "),
      ("[tru]", "1:2: "), ("[NaN]", "1:2: "), ("\"a", "1:1: a text is not closed"),
      ("[\"a\nb\"]", "1:4: a control"),
      (#"["\x"]"#, "1:3: an unknown escape"), (#"["\u12g4"]"#, "1:3: four"), (#"["\ud800"]"#, "1:3: half"),
      (#"["\u"#, "1:3: four"), ("{\"a\": 1, \"a\": 2}", "1:10: the key \"a\" stands here twice"),
      ("{", "1:2: "),
      ("[\n\n", "3:1: "),
    ]
    for (text, place) in cases {
      let message = fault(text)
      #expect(message?.hasPrefix(place) ?? false, "\(text): \(message ?? "read")")
    }
    // A byte order mark has no columns.
    #expect(fault("\u{FEFF}[1 2]")?.hasPrefix("1:4: ") == true)
    #expect(fault("\u{FEFF}\n[1 2]")?.hasPrefix("2:4: ") == true)
    let error = #expect(throws: NNError.self) { try JSONParser.parse([0x22, 0xFF, 0x22]) }
    #expect(error?.message == "1:1: a text is not UTF-8")
  }

  /// Every beginning of a text, and every text with a byte changed, is read or refused.
  @Test func damagedTextIsReadOrRefused() {
    let whole = Array(#"{"layers": [{"type": "dense", "units": -1.5e3, "x": ["A\n", null, true]}]}"#.utf8)
    for length in 0..<whole.count {
      #expect(throws: NNError.self) { try JSONParser.parse(Array(whole[..<length])) }
      for byte in [0x00, 0x22, 0x5B, 0x5C, 0x7B, 0x7D, 0xC3] as [UInt8] {
        var damaged = whole
        damaged[length] = byte
        do throws(NNError) {
          _ = try JSONParser.parse(damaged)
        } catch {
          #expect(!error.message.isEmpty)
        }
      }
    }
  }

  /// Foundation's reader agrees on what the values are.
  @Test func valuesAgreeWithFoundation() throws {
    let text = #"{"a": [0.1, 1e-7, 123456789012, -0.5, "\u20ac\t"], "b": [[], [[1]]]}"#
    let ours = try JSONParser.parse(Array(text.utf8))
    let theirs = try JSONSerialization.jsonObject(with: Data(text.utf8)) as! [String: [Any]]
    guard case .object(let members) = ours, case .array(let values) = members[0].value else {
      Issue.record("no object")
      return
    }
    for index in 0..<4 { #expect(values[index] == .number((theirs["a"]![index] as! NSNumber).doubleValue)) }
    #expect(values[4] == .string(theirs["a"]![4] as! String))
  }
}
