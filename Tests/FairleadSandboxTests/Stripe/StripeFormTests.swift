import Fairlead
import Testing

@testable import FairleadSandbox

@Suite struct StripeFormTests {
  @Test(arguments: [
    ("a=1&b=x+y%21", #"{"a":"1","b":"x y!"}"#),
    (
      "items[0][price]=p&items[0][quantity]=2&items[1][price]=q",
      #"{"items":[{"price":"p","quantity":"2"},{"price":"q"}]}"#
    ),
    ("items[10][price]=b&items[9][price]=a", #"{"items":[{"price":"a"},{"price":"b"}]}"#),
    (
      "items[][price]=p&items[][quantity]=2&items[][price]=q",
      #"{"items":[{"price":"p","quantity":"2"},{"price":"q"}]}"#
    ),
    ("expand[]=a&expand[]=b", #"{"expand":["a","b"]}"#),
    ("expand%5B0%5D=a&metadata%5Bk%5D=v", #"{"expand":["a"],"metadata":{"k":"v"}}"#),
    ("a[b][c]=1&a[b][d]=2", #"{"a":{"b":{"c":"1","d":"2"}}}"#),
    ("a=1&a=2", #"{"a":"2"}"#),
    ("name=", #"{"name":""}"#),
    ("created[gte]=5", #"{"created":{"gte":"5"}}"#),
    ("text=%zz%4", #"{"text":"%zz%4"}"#),
  ])
  func bracketsMakeATree(text: String, tree: String) throws {
    #expect(StripeForm.fields(try StripeForm.parse(text.utf8)).json.text == tree)
  }

  @Test(arguments: [
    "a=1&a[b]=2", "a[b]=1&a[]=2", "a[[b]=1", "[a]=1", "a[b]c]=1",
    "a" + String(repeating: "[b]", count: 20) + "=1", "a=%ff",
  ])
  func contradictionsAndAbsurditiesAreRefused(text: String) {
    #expect(throws: StripeError.self) { try StripeForm.parse(text.utf8) }
  }

  @Test func moreParametersThanTheBoundAreRefused() {
    let text = (0...FormPair.limit).map { "a\($0)=1" }.joined(separator: "&")
    #expect(throws: StripeError.self) { try StripeForm.parse(text.utf8) }
  }
}
