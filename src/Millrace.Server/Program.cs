Console.Error.WriteLine("millrace: nothing to run yet");
return 1;
