import Fairlead

extension ClerkState {
  /// A user with every field that Clerk's API always has. The official SDK refuses one that lacks
  /// any of them.
  func blankUser(emails: [String], phones: [String] = []) -> Object {
    let addresses = emails.map { emailAddress($0) }
    let numbers = phones.map { phoneNumber($0) }
    var user: Object = [
      "id": .string("user_" + random.alphanumeric(27)), "object": "user",
      "public_metadata": .object([:]), "private_metadata": .object([:]),
      "unsafe_metadata": .object([:]), "email_addresses": .array(addresses),
      "phone_numbers": .array(numbers), "created_at": milliseconds, "updated_at": milliseconds,
      "primary_email_address_id": addresses.first?["id"] ?? .null,
      "primary_phone_number_id": numbers.first?["id"] ?? .null,
      "image_url": "https://img.clerk.com/sandbox", "create_organizations_limit": .null,
      "lockout_expires_in_seconds": .null, "verification_attempts_remaining": 100,
    ]
    for name in [
      "username", "first_name", "last_name", "primary_web3_wallet_id", "external_id",
      "last_sign_in_at", "last_active_at", "mfa_enabled_at", "mfa_disabled_at",
      "legal_accepted_at", "locale",
    ] { user[name] = .null }
    for name in [
      "web3_wallets", "passkeys", "external_accounts", "saml_accounts", "enterprise_accounts",
    ] { user[name] = .array([]) }
    for name in [
      "has_image", "password_enabled", "two_factor_enabled", "totp_enabled", "backup_code_enabled",
      "banned", "locked",
    ] { user[name] = false }
    for name in ["delete_self_enabled", "create_organization_enabled"] { user[name] = true }
    return user
  }

  private func emailAddress(_ address: String) -> JSONValue {
    [
      "id": .string("idn_" + random.alphanumeric(27)), "object": "email_address",
      "email_address": .string(address), "reserved": false, "linked_to": .array([]),
      "matches_sso_connection": false, "created_at": milliseconds, "updated_at": milliseconds,
      "verification": [
        "object": "verification_admin", "status": "verified", "strategy": "admin",
        "attempts": .null, "expire_at": .null,
      ],
    ]
  }

  private func phoneNumber(_ number: String) -> JSONValue {
    [
      "id": .string("idn_" + random.alphanumeric(27)), "object": "phone_number",
      "phone_number": .string(number), "reserved_for_second_factor": false,
      "default_second_factor": false, "reserved": false, "linked_to": .array([]),
      "backup_codes": .null, "created_at": milliseconds, "updated_at": milliseconds,
      "verification": [
        "object": "verification_admin", "status": "verified", "strategy": "admin",
        "attempts": .null, "expire_at": .null,
      ],
    ]
  }

  func blankSession(of user: String) -> Object {
    let end = JSONValue.int((now + .seconds(7 * 86_400)).microseconds / 1_000)
    let abandoned = JSONValue.int((now + .seconds(30 * 86_400)).microseconds / 1_000)
    return [
      "id": .string("sess_" + random.alphanumeric(27)), "object": "session",
      "user_id": .string(user), "client_id": .string("client_" + random.alphanumeric(27)),
      "status": "active", "last_active_at": milliseconds, "expire_at": end,
      "abandon_at": abandoned, "created_at": milliseconds, "updated_at": milliseconds,
      "actor": .null, "last_active_organization_id": .null, "latest_activity": .null,
    ]
  }
}
