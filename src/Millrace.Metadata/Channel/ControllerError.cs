namespace Millrace.Metadata.Channel;

/// <summary>Why a controller, or the way to it, refused a request or one operation of it. The numbers are those of the messages.</summary>
public enum ControllerError : short
{
    None = 0,

    /// <summary>The sender's incarnation, or its ownership of a stream, is over for good. Another controller would say the same.</summary>
    Fenced = 1,

    /// <summary>
    /// Whoever was asked is no controller any more. It says nothing of the sender, and whether the deed was done is not known: the next controller
    /// is to be asked the same.
    /// </summary>
    ControllerLost = 2,

    /// <summary>Too many requests wait for the metadata log. Nothing was done, and there may be room again later.</summary>
    Busy = 3,

    /// <summary>There is no such stream, or it has been deleted.</summary>
    UnknownStream = 4,

    /// <summary>Something must end first: a range be closed or recovered, an incarnation be fenced, streams be closed.</summary>
    Incomplete = 5,

    /// <summary>An object of the commit is no longer prepared: the data is to be uploaded again under new ids.</summary>
    PrepareExpired = 6,

    /// <summary>The node id that was asked for cannot be had, or its times do not fit the others'. The message is for the operator.</summary>
    RegistrationRefused = 7,

    /// <summary>The request contradicts itself, or its bytes are none.</summary>
    InvalidRequest = 8,
}
