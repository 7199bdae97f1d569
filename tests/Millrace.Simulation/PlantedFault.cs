namespace Millrace.Simulation;

/// <summary>Mistakes that the simulator can plant in the product, to prove that its checkers notice them.</summary>
public enum PlantedFault
{
    AcknowledgeBeforeDurable,
    AcknowledgeOverHole,
    DeleteSeal,
    BelieveSealWithoutBoundary,
    SkipEntriesBeforeOwnSeal,
    ReuseNumber,
    TakeLostAnswerForFence,
    ServeBeforeSeal,
    ReleaseParkedFrame,
    ForgetFolderSync,
    RefuseWhatIsAccepted,
    TakeLostControllerForFence,
    ReadWalBeforeSeal,
    TakeShareForWal,
    CompleteUnread,
    CountLateCompletion,
    ForgetPlanWithController,
    SealBehindLastObject,
    GrantWithoutProof,
    CountLeaseFromReceipt,
    TakeLookForLease,
    FenceBeforeLeaseEnds,
    LeadBeforeTail,
    TakeBackWhatMayHaveMoved,
    ReadWhatMayHaveMoved,
    AcknowledgeByObject,
    CommitCompactionUnjudged,
    ForgetWhereRangesWent,
}
