import Fairlead
import FairleadSandbox
import FairleadTesting
import Testing

@Suite struct StripeObjectTests {
  @Test func customersAreReadBackUpdatedAndDeleted() async throws {
    try await TestSandbox.with { sandbox in
      let made = try await sandbox.stripe(
        "POST", "customers", "email=a%40b.c&metadata[k]=v&metadata[old]=x&address[city]=Ulm")
      let id = made["id"]?.string ?? ""
      #expect(id.hasPrefix("cus_"))
      #expect(try await sandbox.stripe("GET", "customers/\(id)").json == made.json)
      let updated = try await sandbox.stripe(
        "POST", "customers/\(id)", "name=Ada&metadata[old]=&metadata[new]=y")
      #expect(updated["metadata"] == ["k": "v", "new": "y"])
      #expect(updated["address.city"] == "Ulm")
      let deleted = try await sandbox.stripe("DELETE", "customers/\(id)")
      #expect(deleted.json == ["id": .string(id), "object": "customer", "deleted": true])
      #expect(try await sandbox.stripe("GET", "customers/\(id)")["deleted"] == true)
      #expect(try await sandbox.stripe("GET", "customers")["data"] == [])
    }
  }

  @Test func listsPageBothWaysNewestFirst() async throws {
    try await TestSandbox.with { sandbox in
      var ids: [String] = []
      for number in 0..<7 {
        let made = try await sandbox.stripe("POST", "customers", "name=c\(number)")
        ids.insert(made["id"]?.string ?? "", at: 0)
      }
      func page(_ query: String) async throws -> (ids: [String], more: Bool?) {
        let list = try await sandbox.stripe("GET", "customers?\(query)")
        return (
          (list["data"]?.array ?? []).compactMap { $0["id"]?.string }, list["has_more"]?.bool
        )
      }
      let first = try await page("limit=3")
      #expect(first.ids == Array(ids[0..<3]))
      #expect(first.more == true)
      let last = try await page("limit=10&starting_after=\(ids[2])")
      #expect(last.ids == Array(ids[3...]))
      #expect(last.more == false)
      let before = try await page("limit=2&ending_before=\(ids[4])")
      #expect(before.ids == Array(ids[2..<4]))
      #expect(before.more == true)
      let unknown = try await sandbox.stripe("GET", "customers?starting_after=cus_nope")
      #expect(unknown.status == 400)
      #expect(unknown["error.code"] == "resource_missing")
      #expect(try await sandbox.stripe("GET", "customers?limit=101").status == 400)
    }
  }

  /// A recurring price of 1500 a month.
  private func price(_ sandbox: TestSandbox) async throws -> String {
    let price = try await sandbox.stripe(
      "POST", "prices",
      "currency=usd&unit_amount=1500&recurring[interval]=month&product_data[name]=Plan")
    return price["id"]?.string ?? ""
  }

  private func customer(_ sandbox: TestSandbox) async throws -> String {
    try await sandbox.stripe("POST", "customers", "email=a%40b.c")["id"]?.string ?? ""
  }

  @Test func subscriptionsEndAtTheirPeriodsEndWhenAsked() async throws {
    try await TestSandbox.with { sandbox in
      let (customer, price) = (try await customer(sandbox), try await price(sandbox))
      let made = try await sandbox.stripe(
        "POST", "subscriptions", "customer=\(customer)&items[][price]=\(price)")
      let id = made["id"]?.string ?? ""
      #expect(made["status"] == "active")
      #expect(made["items.data.0.current_period_end"]?.int ?? 0 > made["created"]?.int ?? 0)
      #expect(made["current_period_end"] == nil)
      let ending = try await sandbox.stripe(
        "POST", "subscriptions/\(id)", "cancel_at_period_end=true")
      #expect(ending["status"] == "active")
      #expect(ending["cancel_at"] == ending["items.data.0.current_period_end"])
      _ = try await sandbox.control("clock", ["advance": "32d"])
      #expect(try await sandbox.stripe("GET", "subscriptions/\(id)")["status"] == "canceled")
      let events = try await sandbox.stripe("GET", "events?type=customer.subscription.*")
      #expect(
        events["data"]?.array?.compactMap { $0["type"]?.string } == [
          "customer.subscription.deleted", "customer.subscription.updated",
          "customer.subscription.created",
        ])
    }
  }

  @Test func periodsRollOnAndUnpaidFirstInvoicesExpire() async throws {
    try await TestSandbox.with { sandbox in
      let (customer, price) = (try await customer(sandbox), try await price(sandbox))
      let items = "customer=\(customer)&items[0][price]=\(price)"
      let active = try await sandbox.stripe("POST", "subscriptions", items)
      let open = try await sandbox.stripe(
        "POST", "subscriptions",
        items + "&payment_behavior=default_incomplete&expand[]=latest_invoice.confirmation_secret")
      #expect(open["status"] == "incomplete")
      #expect(open["latest_invoice.confirmation_secret.type"] == "payment_intent")
      _ = try await sandbox.control("clock", ["advance": "70d"])
      let rolled = try await sandbox.stripe(
        "GET", "subscriptions/\(active["id"]?.string ?? "")")
      let now = (active["created"]?.int ?? 0) + 70 * 86_400
      #expect(rolled["items.data.0.current_period_start"]?.int ?? .max <= now)
      #expect(rolled["items.data.0.current_period_end"]?.int ?? 0 > now)
      let expired = try await sandbox.stripe("GET", "subscriptions/\(open["id"]?.string ?? "")")
      #expect(expired["status"] == "incomplete_expired")
    }
  }

  @Test func shapesAndExpansionsFollowTheVersion() async throws {
    try await TestSandbox.with { sandbox in
      let (customer, price) = (try await customer(sandbox), try await price(sandbox))
      let made = try await sandbox.stripe(
        "POST", "subscriptions",
        "customer=\(customer)&items[][price]=\(price)&payment_behavior=default_incomplete")
      let path = "subscriptions/\(made["id"]?.string ?? "")?expand[]=latest_invoice.payment_intent"
      let refused = try await sandbox.stripe("GET", path)
      #expect(refused.status == 400)
      #expect(refused["error.type"] == "invalid_request_error")
      let old = try await sandbox.stripe("GET", path, headers: ["stripe-version": "2024-06-20"])
      #expect(old["latest_invoice.payment_intent.object"] == "payment_intent")
      #expect(old["current_period_end"] == made["items.data.0.current_period_end"])
      #expect(old["items.data.0.current_period_end"] == nil)
      #expect(old.header("stripe-version") == "2024-06-20")
      let list = try await sandbox.stripe("GET", "subscriptions?status=all&expand[]=data.customer")
      #expect(list["data.0.customer.email"] == "a@b.c")
    }
  }

  @Test func paymentsSucceedDeclineAndLeaveEvents() async throws {
    try await TestSandbox.with { sandbox in
      let paid = try await sandbox.stripe(
        "POST", "payment_intents",
        "amount=500&currency=EUR&payment_method=pm_card_visa&confirm=true&expand[]=latest_charge")
      #expect(paid["status"] == "succeeded")
      #expect(paid["latest_charge.amount"] == 500)
      let declined = try await sandbox.stripe(
        "POST", "payment_intents",
        "amount=500&currency=eur&payment_method=pm_card_chargeDeclined&confirm=true")
      #expect(declined.status == 402)
      #expect(declined["error.type"] == "card_error")
      #expect(declined["error.decline_code"] == "generic_decline")
      let id = declined["error.payment_intent.id"]?.string ?? ""
      let stored = try await sandbox.stripe("GET", "payment_intents/\(id)")
      #expect(stored["status"] == "requires_payment_method")
      let again = try await sandbox.stripe(
        "POST", "payment_intents/\(id)/confirm", "payment_method=pm_card_visa")
      #expect(again["status"] == "succeeded")
      let events = try await sandbox.stripe("GET", "events?type=payment_intent.payment_failed")
      #expect(events["data.0.data.object.id"] == .string(id))
    }
  }

  @Test(arguments: [
    ("POST", "customers", "bogus=1", 400, "parameter_unknown", "bogus"),
    ("POST", "payment_intents", "currency=usd", 400, "parameter_missing", "amount"),
    (
      "POST", "payment_intents", "amount=x&currency=usd", 400, "parameter_invalid_integer", "amount"
    ),
    (
      "POST", "payment_intents", "amount=99999999999999999999&currency=usd", 400,
      "parameter_invalid_integer", "amount"
    ),
    (
      "POST", "subscriptions", "customer=cus_x&items[][price]=p", 400, "resource_missing",
      "customer"
    ),
    ("GET", "customers/cus_x", "", 404, "resource_missing", "id"),
  ])
  func errorsNameTheirCause(
    method: String, path: String, form: String, status: Int, code: String, param: String
  ) async throws {
    try await TestSandbox.with { sandbox in
      let answer = try await sandbox.stripe(method, path, method == "GET" ? nil : form)
      #expect(answer.status == status)
      #expect(answer["error.code"] == .string(code))
      #expect(answer["error.param"] == .string(param))
      #expect(answer["error.type"] == "invalid_request_error")
      #expect(answer.header("request-id")?.hasPrefix("req_") == true)
    }
  }

  @Test func keysAreCheckedAndUnknownAddressesAreStripes404() async throws {
    try await TestSandbox.with { sandbox in
      let wrong = try await sandbox.stripe(
        "GET", "customers", headers: ["authorization": "Bearer sk_test_secret_of_someone"])
      #expect(wrong.status == 401)
      #expect(!wrong.text.contains("secret_of"))
      let pair = Array("\(Sandbox.credentials.stripeSecretKey):".utf8).base64
      let basic = try await sandbox.stripe(
        "GET", "customers", headers: ["authorization": "Basic \(pair)"])
      #expect(basic.status == 200)
      let unknown = try await sandbox.stripe("GET", "balance")
      #expect(unknown.status == 404)
      #expect(unknown["error.type"] == "invalid_request_error")
    }
  }
}
