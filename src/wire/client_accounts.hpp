// What each user holds of the front door, so that one user cannot take all of it. Private to the
// client server.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <unordered_map>

#include "core/time.hpp"

namespace hyades {

class ClientAccounts {
 public:
  struct Account {
    int connections = 0;
    std::size_t bytes = 0;  // unfinished requests and unread replies
    double tokens = 0;      // requests that may come at once
    BootMs refilled_ms = 0;
  };

  Account& of(uid_t uid) { return accounts_[uid]; }

  // Takes one request off the user's allowance; false when there is none left.
  bool spend(uid_t uid, int per_second, BootMs now) {
    if (per_second <= 0) return true;
    Account& account = accounts_[uid];
    const double refill = static_cast<double>(now - account.refilled_ms) * per_second / 1000.0;
    account.tokens = account.refilled_ms == 0
                         ? per_second
                         : std::min<double>(per_second, account.tokens + refill);
    account.refilled_ms = now;
    if (account.tokens < 1) return false;
    account.tokens -= 1;
    return true;
  }

  // Forgets users without connections; not those that left a moment ago, or reconnecting would
  // refill their allowance.
  void forget_idle(BootMs now) {
    std::erase_if(accounts_, [now](const auto& entry) {
      return entry.second.connections == 0 && now - entry.second.refilled_ms > 2000;
    });
  }

 private:
  std::unordered_map<uid_t, Account> accounts_;
};

}  // namespace hyades
