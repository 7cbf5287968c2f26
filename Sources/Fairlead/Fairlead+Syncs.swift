import ServiceLifecycle

extension Fairlead {
  /// What keeps syncs going while `run()` runs.
  var syncServices: [any Service] {
    [
      SyncScheduler(syncs: syncs),
      RecordRetention(
        database: database, period: settings.syncs.deletionRetention, clock: clock,
        logger: logger),
    ]
  }
}

extension Fairlead {
  /// What is marked together with a job that the worker gives up.
  var jobDeath: JobDeath {
    let deaths = [deliveries.jobDeath, syncs.jobDeath]
    return { job, reason, sql in
      for death in deaths { try death(job, reason, sql) }
    }
  }
}
